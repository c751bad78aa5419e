import { setImmediate } from "node:timers/promises";
import { Agent, maskText, MemoryStore, type Model, type OutputGuardrail } from "@pollux/core";
import { say, ScriptedModel } from "@pollux/core/testing";
import { chatHandler, type ChatProtocol } from "@pollux/web";
import { agUi, type AgUiEvent } from "@pollux/web/ag-ui";
import { aiSdk, withoutDiscards } from "@pollux/web/ai-sdk";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chunks, expectLate, judge, playLate, SETS } from "../../../core/test/loop/late-answers.ts";
import { fakeTime } from "../../../core/test/helpers/fake-time.ts";
import { SESSION_FACES } from "../../../core/test/session/session-faces.ts";
import { Client, encode as encodeAgUi, Follower } from "../ag-ui/client.ts";
import { openChat } from "../ai-sdk/chat-client.ts";
import { type BuiltMessage, buildMessage, encode, VERSIONS } from "../ai-sdk/page.ts";
import { responses } from "../ai-sdk/play.ts";
import { SteppedModel } from "./chat-page.ts";

/** The handler that pages talk to. */
function serve(model: Model, output: readonly OutputGuardrail[], protocol: ChatProtocol): typeof fetch {
  const handler = chatHandler({
    agent: new Agent({ model, guardrails: { output } }),
    store: new MemoryStore(),
    authorize: () => ({ owner: "ann" }),
    protocol,
  });
  return async (input, init) => await handler(new Request(input, init));
}

/** A model that lets everybody read after each chunk. */
function pacedModel(said: readonly string[]): Model {
  const scripted = new ScriptedModel(say(...said));
  return {
    id: scripted.id,
    capabilities: scripted.capabilities,
    check: (...args) => scripted.check(...args),
    respond: async (request, options) =>
      await scripted.respond(request, {
        ...options,
        onParts: async (parts) => {
          await options.onParts?.(parts);
          for (let turn = 0; turn < 5; turn++) await setImmediate();
        },
      }),
  };
}

function textOf(message: BuiltMessage): string {
  return withoutDiscards(message)
    .parts.map((part) => (part.type === "text" ? String(part["text"]) : ""))
    .join("");
}

/** What a client of AG-UI shows of the last answer after each event. */
function textsOf(events: readonly AgUiEvent[]): readonly string[] {
  let text = "";
  return events.map((event) => {
    if (event.type === "MESSAGES_SNAPSHOT")
      text = event.messages.map((one) => (one.role === "assistant" ? (one.content ?? "") : "")).join("");
    if (event.type === "TEXT_MESSAGE_CONTENT") text += event.delta;
    return text;
  });
}

/** More than all of them look back. */
const LONG = Array.from({ length: 20 }, () => "It goes on and on. ");

describe.each(SETS)("an answer that is shown late, with %s", (_what, guardrails) => {
  test.each(VERSIONS)("shows a page of version %i nothing that is forbidden or taken back", async (version) => {
    let longest = 0;
    await fc.assert(
      fc.asyncProperty(chunks, async (said) => {
        const shown: string[] = [];
        const chat = openChat(version, {
          id: "c",
          fetch: serve(pacedModel(said), guardrails, aiSdk({ version })),
          onMessage: (message) => message.role === "assistant" && shown.push(textOf(message)),
        });
        await chat.sendMessage({ text: "Go." });
        expectLate(shown, await judge(said.join(""), guardrails));
        longest = Math.max(longest, new Set(shown).size);
      }),
      { numRuns: 4, examples: [[LONG]] },
    );
    expect(longest).toBeGreaterThan(3);
  });

  test("shows a client of AG-UI nothing that is forbidden or taken back", async () => {
    await fc.assert(
      fc.asyncProperty(chunks, async (said) => {
        const server = serve(pacedModel(said), guardrails, agUi());
        const client = new Client(async (init) => await server("http://localhost/api/chat", init), "c");
        client.agent.addMessage({ id: "1", role: "user", content: "Go." });
        await client.run();
        const judged = await judge(said.join(""), guardrails);
        expectLate(textsOf(client.events), judged);
        const snapshots = client.events.filter(({ type }) => type === "MESSAGES_SNAPSHOT");
        if (!judged.isStopped) expect(snapshots.length).toBeLessThan(2);
      }),
      { numRuns: 4 },
    );
  });

  describe("in another process", () => {
    fakeTime("stands");

    test.each(SESSION_FACES)("is the same for each client, by %s", async (_face, face) => {
      await fc.assert(
        fc.asyncProperty(chunks, async (said) => {
          const judged = await judge(said.join(""), guardrails);
          const { there } = await playLate(face, guardrails, say(...said));
          const [response] = responses(there);
          if (response === undefined) throw new Error("nothing was followed");
          for (const version of VERSIONS) {
            const sent = encode(version, response.states);
            if (!judged.isStopped) expect(sent.map(({ type }) => type)).not.toContain("data-discard");
            if (!judged.isStopped) expect(sent.map(({ type }) => type)).not.toContain("reset-step");
            expect(textOf(await buildMessage(version, sent))).toBe(judged.final);
            const deltas = sent.map((chunk) => (chunk.type === "text-delta" ? chunk.delta : ""));
            expect(judged.mayShow.startsWith(deltas.join(""))).toBe(true);
          }
          const follower = new Follower();
          await follower.follow(encodeAgUi(response.states));
          expectLate(textsOf(follower.events), judged);
        }),
        { numRuns: 4 },
      );
    });
  });
});

describe("an answer that is held", () => {
  const watch: OutputGuardrail = { name: "watch", check: () => {} };

  test.each(VERSIONS)("is said to be checked, to a page of version %i", async (version) => {
    const seen: unknown[] = [];
    const model = new SteppedModel(say("It ", "is ", "fine."));
    const chat = openChat(version, {
      id: "c",
      fetch: serve(model, [watch], aiSdk({ version })),
      onData: ({ type, data }) => {
        seen.push({ type, data });
        model.finish();
      },
      onMessage: (message) => message.role === "assistant" && seen.push(textOf(message)),
    });
    const sent = chat.sendMessage({ text: "Go." });
    model.say();
    await sent;
    const told = seen.filter((one, index) => one !== seen[index - 1]);
    expect(told.findLast((one) => one !== "" && typeof one === "string")).toBe("It is fine.");
    const before = told.indexOf("It is fine.");
    const checking = (isChecking: boolean) => ({ type: "data-checking", data: { isChecking } });
    expect(told.slice(0, before).filter((one) => one !== "")).toEqual([checking(true), checking(false)]);
    // It is not part of the message.
    expect(JSON.stringify(chat.messages)).not.toContain("checking");
  });

  test("is said to be checked, to a client of AG-UI", async () => {
    const model = new SteppedModel(say("It ", "is ", "fine."));
    const server = serve(model, [watch], agUi());
    const client = new Client(async (init) => await server("http://localhost/api/chat", init), "c");
    client.agent.addMessage({ id: "1", role: "user", content: "Go." });
    model.say();
    await client.run({}, ({ type }) => type === "CUSTOM" && model.finish());
    const told = client.events.filter(({ type }) => type === "CUSTOM" || type === "TEXT_MESSAGE_CONTENT");
    expect(told).toMatchObject([
      { name: "pollux.checking", value: { isChecking: true } },
      { name: "pollux.checking", value: { isChecking: false } },
      { delta: "It is fine." },
    ]);
  });

  test("is not said to be checked when its text is shown late", async () => {
    const seen: unknown[] = [];
    const chat = openChat(7, {
      id: "c",
      fetch: serve(new ScriptedModel(say("It ", "is ", "fine.")), [maskText("secret")], aiSdk({ version: 7 })),
      onData: (part) => void seen.push(part),
    });
    await chat.sendMessage({ text: "Go." });
    expect(seen).toEqual([]);
  });
});
