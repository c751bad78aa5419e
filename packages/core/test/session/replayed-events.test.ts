import { Agent, defineTool, MemoryStore, type RunEvent } from "@pollux/core";
import { assertGrammar, call, calls, collect, say, ScriptedModel } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { answersTo } from "../helpers/answers.ts";

const look = defineTool({ name: "look", description: "x", run: () => "seen" });
const pay = defineTool({ name: "pay", description: "x", needsApproval: true, run: () => "paid" });

/** Each event by its kind and call; `+` marks one that repeats the log. */
function told(events: readonly RunEvent[]): string[] {
  return events.map((event) => {
    const { type, replayed } = event;
    const what = "callId" in event ? `${type} ${event.callId}` : type;
    return replayed === true ? `+${what}` : what;
  });
}

test("a resumed run repeats what its log holds, and says so", async () => {
  const model = new ScriptedModel(calls("look", "pay"), say("Done."));
  const session = new Agent({ model, tools: [look, pay] }).session();
  const first = await collect(session.stream("Go."));
  expect(told(first.events).filter((one) => one.startsWith("+"))).toEqual([]);

  const { events } = await collect(session.resumeStream(await answersTo(session, { approvals: { "call:1.1": true } })));
  assertGrammar(events);
  expect(told(events)).toEqual(
    [
      "+run-start",
      "+turn-start",
      "+part",
      "+part",
      "+response",
      "+tool-pending call:1.1",
      "tool-start call:1.1",
      "tool-end call:1.1",
      "tool-start call:1.0",
      "tool-end call:1.0",
      "turn-end",
      "turn-start",
      "text-delta",
      "response",
      "turn-end",
      "run-end",
    ].map((one) => (one.endsWith("call:1.0") ? `+${one}` : one)),
  );

  const replay = await collect(session.replay());
  expect(told(replay.events).every((one) => one.startsWith("+"))).toBe(true);
});

test("a call that is refused never starts, now or when the run is read again", async () => {
  const model = new ScriptedModel(calls("look", "pay"), say("As you like."));
  const agent = new Agent({ model, tools: [look, pay], approve: () => ({ deny: "too dear" }) });
  const session = agent.session();
  for (const run of [session.stream("Go."), session.replay()]) {
    const { events } = await collect(run);
    assertGrammar(events);
    const kinds = events.flatMap((one) =>
      one.type.startsWith("tool-") && "callId" in one ? [`${one.type} ${one.callId}`] : [],
    );
    expect(kinds.toSorted()).toEqual(["tool-end call:1.0", "tool-end call:1.1", "tool-start call:1.0"]);
  }

  const hooked = new Agent({
    model: new ScriptedModel(call("look"), say("Fine.")),
    tools: [look],
    hooks: { beforeCall: () => ({ output: "from a cache" }) },
  }).session();
  for (const run of [hooked.stream("Go."), hooked.replay()]) {
    const { events } = await collect(run);
    assertGrammar(events);
    expect(events.filter(({ type }) => type.startsWith("tool-")).map(({ type }) => type)).toEqual(["tool-end"]);
  }
});

test("the events of a run do not grow with the conversation", async () => {
  const script = Array.from({ length: 20 }, () => say("A sentence of about forty characters, no more."));
  const session = new Agent({ model: new ScriptedModel(...script) }).session();
  const sizes: number[] = [];
  for (let message = 0; message < 20; message++) {
    const { events } = await collect(session.stream("A question of a few words?", { runId: `run-${message}` }));
    sizes.push(JSON.stringify(events).length);
  }
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(20);
});

test("the run, the agent and the session are named in the first event, in hooks, in tools and in log lines", async () => {
  const seen: object[] = [];
  const note = ({ runId, agent, sessionId }: { runId?: unknown; agent?: unknown; sessionId?: unknown }): void =>
    void seen.push({ runId, agent, sessionId });
  const log = (facts: object): void => note(facts);
  const logger = { trace: log, debug: log, info: log, warn: log, error: log };
  const tell = defineTool({
    name: "tell",
    description: "x",
    needsApproval: true,
    run: (_input, context) => (note(context), "ok"),
  });
  const agent = new Agent({
    name: "clerk",
    model: new ScriptedModel(call("tell"), say("Done.")),
    tools: [tell],
    logger,
    approve: (_pending, run) => (note(run), true),
    hooks: {
      beforeCall: (info) => note(info),
      afterCall: (info) => note(info),
      prepareTurn: (info) => note(info),
    },
  });
  const { events } = await collect(agent.session({ id: "s", store: new MemoryStore() }).stream("Go.", { runId: "r" }));
  expect(events[0]).toEqual({
    type: "run-start",
    runId: "r",
    agent: "clerk",
    sessionId: "s",
    model: "gemini-scripted",
  });
  // Two requests, an approval, two hooks, the tool and its line in the log.
  expect(seen).toHaveLength(7);
  for (const one of seen) expect(one).toEqual({ runId: "r", agent: "clerk", sessionId: "s" });

  const alone = new Agent({ model: new ScriptedModel(say("Hi.")) });
  expect((await collect(alone.stream("Hi", { runId: "x" }))).events[0]).toEqual({
    type: "run-start",
    runId: "x",
    agent: "agent",
    model: "gemini-scripted",
  });
});
