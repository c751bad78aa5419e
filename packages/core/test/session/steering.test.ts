import { setImmediate } from "node:timers/promises";
import { Agent, defineTool, MemoryStore, type RunEvent, type Session } from "@pollux/core";
import { readConversation } from "@pollux/core/conversation";
import { call, collect, say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test } from "vitest";
import { fakeTime } from "../helpers/fake-time.ts";
import { SESSION_FACES } from "./session-faces.ts";

const text = (value: string) => ({ role: "user", parts: [{ text: value }] });

/** A session whose tool says something to its own run, through another session object, as another process would. */
function steered(...messages: string[]) {
  const store = new MemoryStore();
  const model = new ScriptedModel(call("work"), say("Done as told."), say("And that."), say("More."));
  let other: Session;
  const work = defineTool({
    name: "work",
    description: "x",
    run: async () => {
      for (const message of messages) await other.steer(message);
      return "worked";
    },
  });
  const agent = new Agent({ model, tools: [work] });
  other = agent.session({ id: "s", store });
  return { model, other, session: agent.session({ id: "s", store }) };
}

describe.each(SESSION_FACES)("what is said to a run read by %s", (_face, face) => {
  test("goes along with its next request, after the function responses, in a content of its own", async () => {
    const { model, session } = steered("Hurry.", "And be brief.");
    const result = await face.send(session, "Work.");
    expect(result.text).toBe("Done as told.");
    expect(model.requests[1]?.contents).toEqual([
      text("Work."),
      { role: "model", parts: [{ functionCall: { name: "work", args: {} } }] },
      { role: "user", parts: [{ functionResponse: { name: "work", response: { output: "worked" } } }] },
      text("Hurry."),
      text("And be brief."),
    ]);
    expect(await session.history()).toEqual([
      ...(model.requests[1]?.contents ?? []),
      { role: "model", parts: [{ text: "Done as told." }] },
    ]);
  });

  test("is read once: not again with the next message, and not when the run is replayed", async () => {
    const { model, session } = steered("Hurry.");
    await face.send(session, "Work.");
    await face.send(session, "Thanks.");
    expect(model.requests[2]?.contents.filter(({ parts }) => parts[0]?.text === "Hurry.")).toHaveLength(1);
    expect((await session.replay().result()).text).toBe("And that.");
  });

  test("under an id is read once, however often it is sent", async () => {
    const store = new MemoryStore();
    const model = new ScriptedModel(call("work"), say("Done."), say("Still done."));
    const heardBy: string[] = [];
    let other: Session;
    const work = defineTool({
      name: "work",
      description: "Works.",
      run: async () => {
        const tell = async (): Promise<number> => heardBy.push(await other.steer("Hurry.", { id: "m1" }));
        await Promise.all([tell(), tell()]);
        await tell();
        expect((await readConversation(other)).queued.map(({ id }) => id)).toEqual(["m1"]);
        return "worked";
      },
    });
    const agent = new Agent({ model, tools: [work] });
    other = agent.session({ id: "s", store });
    const session = agent.session({ id: "s", store });
    await face.send(session, "Work.");
    expect(await other.steer("Hurry.", { id: "m1" })).toBe("run");
    await face.send(session, "Thanks.");
    expect(heardBy).toEqual(["run", "run", "run"]);
    const heard = (await session.history()).filter(({ parts }) => parts[0]?.text === "Hurry.");
    expect(heard).toHaveLength(1);
  });

  describe("while time leaps", () => {
    fakeTime("leaps");

    test("by a message with a run id is not said again when the message is", async () => {
      const store = new MemoryStore();
      const model = new ScriptedModel(call("work"), say("Done."));
      let second: Promise<unknown> | undefined;
      let other: Session;
      const again = { message: "Hurry.", runId: "m1", whileRunning: "steer" } as const;
      const work = defineTool({
        name: "work",
        description: "Works.",
        run: async () => {
          second = other.continue(again);
          while ((await readConversation(other)).queued.length === 0) await setImmediate();
          return "worked";
        },
      });
      const agent = new Agent({ model, tools: [work] });
      other = agent.session({ id: "s", store });
      const session = agent.session({ id: "s", store });
      await face.send(session, "Work.");
      await second;
      const entries = (await store.load("s")).length;
      for (const whileRunning of ["steer", "refuse"] as const)
        expect((await session.continue({ ...again, whileRunning })).text).toBe("Done.");
      expect(await store.load("s")).toHaveLength(entries);
      expect(model.requests).toHaveLength(2);
    });
  });

  test("before any run goes along with the next message", async () => {
    const { model, other, session } = steered();
    await other.steer("In French, please.");
    await face.send(session, "Work.");
    expect(model.requests[0]?.contents).toEqual([text("Work."), text("In French, please.")]);
  });

  test("while the last answer is written makes the run go on", async () => {
    const store = new MemoryStore();
    let other: Session;
    const model = new ScriptedModel(async () => (await other.steer("One more thing."), say("Done.")), say("That too."));
    const agent = new Agent({ model });
    other = agent.session({ id: "s", store });
    const session = agent.session({ id: "s", store });
    const result = await face.send(session, "Work.");
    expect(result).toMatchObject({ text: "That too.", turns: 2, stopReason: "finished" });
    expect(model.requests[1]?.contents).toEqual([
      text("Work."),
      { role: "model", parts: [{ text: "Done." }] },
      text("One more thing."),
    ]);
  });
});

test("what is said to a run is an event of it", async () => {
  const { session } = steered("Hurry.");
  const { events } = await collect(session.stream("Work."));
  const steers = events.filter((event): event is Extract<RunEvent, { type: "steer" }> => event.type === "steer");
  expect(steers).toEqual([{ type: "steer", turn: 2, contents: [text("Hurry.")] }]);
});

test("a message that is sent again under its run id gets its result, also while another message waits to be read", async () => {
  const store = new MemoryStore();
  const session = new Agent({ model: new ScriptedModel(say("Hi."), say("Heard.")) }).session({ id: "s", store });
  const message = { message: "Hello.", runId: "r1" };
  await session.continue(message);
  await session.steer("Also.");
  expect(await session.continue(message)).toMatchObject({ text: "Hi.", runId: "r1" });
  expect(await session.continue()).toMatchObject({ text: "Heard." });
});
