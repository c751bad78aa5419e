import { Agent, defineTool, type Hooks, MemoryStore } from "@pollux/core";
import { call, calls, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { faces } from "../helpers/faces.ts";

const look = defineTool({ name: "look", description: "Looks.", run: () => "rain" });

describe.each(faces)("a group of options, by %s", (_face, read) => {
  test("is overridden by a run member by member: settings", async () => {
    const model = new ScriptedModel(say("1"), say("2"));
    const agent = new Agent({ model, settings: { temperature: 0.5, seed: 7, topP: undefined } });
    await read(agent, "Hi.", { settings: { seed: 8, temperature: undefined } });
    await read(agent, "Hi.");
    expect(model.requests.map(({ settings }) => settings)).toEqual([
      { temperature: 0.5, seed: 8 },
      { temperature: 0.5, seed: 7 },
    ]);
  });

  test("limits", async () => {
    const model = new ScriptedModel(calls("look", "look"), call("look"), call("look"), say("Done."));
    const agent = new Agent({ model, tools: [look], limits: { turns: 9, repeats: Infinity } });
    expect(await read(agent, "Look.", { limits: { turns: 3 } })).toMatchObject({
      stopReason: "limit",
      turns: 3,
      limit: { name: "turns", limit: 3 },
    });
  });

  test("hooks, each with its own object as this", async () => {
    class Audit implements Hooks {
      readonly seen: string[] = [];
      beforeCall(): undefined {
        this.seen.push("before");
      }
      prepareTurn(): undefined {
        this.seen.push("turn");
      }
    }
    const audit = new Audit();
    const seen: string[] = [];
    const model = new ScriptedModel(call("look"), say("1"), call("look"), say("2"));
    const agent = new Agent({ model, tools: [look], hooks: audit });
    await read(agent, "Look.");
    await read(agent, "Look.", { hooks: { afterCall: () => void seen.push("after") } });
    expect(audit.seen).toEqual(["turn", "before", "turn", "turn", "before", "turn"]);
    expect(seen).toEqual(["after"]);
  });
});

test("a session that has a history and no run yet is forked with it", async () => {
  const store = new MemoryStore();
  const model = new ScriptedModel(say("Three."));
  const history = [
    { role: "user", parts: [{ text: "I have 3 cats." }] },
    { role: "model", parts: [{ text: "Nice." }] },
  ] as const;
  const fork = await new Agent({ model }).session({ store, history }).fork({ contents: 2 });
  expect(await fork.history()).toEqual(history);
  await fork.send("How many?");
  expect(model.requests[0]?.contents).toHaveLength(3);
  expect(
    (await store.load(fork.id)).filter((entry) => JSON.stringify(entry).includes(`"type":"history"`)),
  ).toHaveLength(1);
});

test("a fork of nothing begins empty, also of a history that was given", async () => {
  const model = new ScriptedModel(say("Hello."));
  const history = [
    { role: "user", parts: [{ text: "I have 3 cats." }] },
    { role: "model", parts: [{ text: "Nice." }] },
  ] as const;
  const fork = await new Agent({ model }).session({ history }).fork({ contents: 0 });
  await fork.send("Hi.");
  expect(model.requests[0]?.contents).toEqual([{ role: "user", parts: [{ text: "Hi." }] }]);
});
