import { Agent, type AgentOptions, type Content, defineTool, MemoryStore, type RunOptions } from "@pollux/core";
import { calls, say, ScriptedModel } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { answersTo } from "../helpers/answers.ts";
import { deferred } from "../helpers/deferred.ts";

const ANSWERS = { approvals: { "call:1.0": { deny: "too dear" } }, outcomes: { "call:1.1": { output: "42" } } };
const READ = [{ error: expect.stringContaining("too dear") }, { output: "42" }];

/** What the model reads of the first calls: one needs approval, one is done elsewhere. */
const readCalls = (contents: readonly Content[]): unknown[] =>
  contents.flatMap(({ parts }) => parts.flatMap((part) => part.functionResponse?.response ?? [])).slice(0, 2);

/** A session whose run is busy with its third call. */
function begin(options: Partial<AgentOptions> = {}, run: RunOptions = {}) {
  const [busy, gate] = [deferred(), deferred()];
  const model = new ScriptedModel(calls("pay", "ask", "work"), say("Well."));
  const tools = [
    defineTool({ name: "pay", description: "x", needsApproval: true, run: () => "paid" }),
    defineTool({ name: "ask", description: "x" }),
    defineTool({ name: "work", description: "x", run: async () => (busy.resolve(), await gate.promise, "worked") }),
  ];
  const session = new Agent({ model, tools, ...options }).session({ id: "s", store: new MemoryStore() });
  const sent = session.send("Go.", run).catch((error: unknown) => error);
  return { session, model, sent, busy: busy.promise, letGo: gate.resolve };
}

test("an answer to a call stays its answer when the run is aborted before the model reads it", async () => {
  const abort = new AbortController();
  const { session, sent, busy } = begin({}, { signal: abort.signal });
  await busy;
  await session.answer(await answersTo(session, ANSWERS));
  abort.abort();
  await sent;
  expect(readCalls(await session.history())).toEqual(READ);
});

test("an answer to a call stays its answer when a hook fails before the model reads it", async () => {
  const hooks = {
    afterCall: () => {
      throw new Error("broken");
    },
  };
  const { session, sent, busy, letGo } = begin({ hooks });
  await busy;
  await session.answer(await answersTo(session, ANSWERS));
  letGo();
  await sent;
  expect(readCalls(await session.history())).toEqual(READ);
});

test.each([
  ["completed", undefined],
  // Guardrails have not checked it.
  ["pending", { input: [{ name: "checks", check: () => undefined }] }],
])("an answer is %s when another call still waits, and the same is told again", async (status, guardrails) => {
  const { session, sent, letGo } = begin({ guardrails });
  letGo();
  await sent;
  const { outcomes } = await answersTo(session, ANSWERS);
  const tell = async (stream: ReturnType<typeof session.resumeStream>): Promise<unknown> => {
    const events: string[] = [];
    for await (const { type } of stream) events.push(type);
    const { toolCalls } = await stream.result();
    return { events, calls: toolCalls.map((one) => one.status) };
  };
  const told = await tell(session.resumeStream({ outcomes }));
  expect(told).toMatchObject({ calls: ["pending", status, "completed"] });
  expect(await tell(session.continueStream())).toEqual(told);
  await session.send("Never mind.");
  const unread = { error: expect.stringContaining("never arrived") };
  expect(readCalls(await session.history())).toEqual([unread, status === "pending" ? unread : READ[1]]);
});
