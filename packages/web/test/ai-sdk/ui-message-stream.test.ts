import { Agent, defineTool } from "@pollux/core";
import { conversationUpdates, applyUpdate, type Conversation } from "@pollux/core/conversation";
import { call, dies, hangs, say, ScriptedModel } from "@pollux/core/testing";
import { toUIMessageStream, type UIMessageChunk, uiMessageStreamResponse } from "@pollux/web/ai-sdk";
import { expect, test } from "vitest";
import { idle } from "../../../core/test/helpers/fake-time.ts";
import { buildMessage, loaded, VERSIONS } from "./page.ts";
import { answersTo } from "../../../core/test/helpers/answers.ts";

const pay = defineTool({
  name: "pay",
  description: "Pays.",
  needsApproval: true,
  approvedBy: "user",
  run: () => "paid",
});

async function readAll(stream: ReadableStream<UIMessageChunk>): Promise<readonly UIMessageChunk[]> {
  const chunks: UIMessageChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

test.each(VERSIONS)("a run is a stream that version %d makes a message of", async (version) => {
  const agent = new Agent({ model: new ScriptedModel(call("now"), say("It is ", "noon.")), tools: [now] });
  const chunks = await readAll(toUIMessageStream(agent.stream("What time is it?", { runId: "r" }), { version }));
  const built = await buildMessage(version, chunks);
  expect(built).toMatchObject({
    id: "r:assistant",
    metadata: { runId: "r", state: "complete", stopReason: "finished" },
  });
  expect(built.parts).toMatchObject([
    { type: "step-start" },
    { type: "tool-now", state: "output-available", output: "noon" },
    { type: "step-start" },
    { type: "text", text: "It is noon.", state: "done" },
  ]);
});

test.each(VERSIONS)("a run that goes on is added to what version %d has of it", async (version) => {
  const session = new Agent({ model: new ScriptedModel(call("pay"), say("Paid.")), tools: [pay] }).session();
  let conversation: Conversation | undefined;
  for await (const update of conversationUpdates(session.stream("Pay.")))
    conversation = applyUpdate(conversation, update);
  if (conversation === undefined) throw new Error("there were no updates");
  const id = conversation.messages.at(-1)?.id ?? "";
  const run = session.resumeStream(await answersTo(session, { approvals: { "call:1.0": true } }));
  const chunks = await readAll(toUIMessageStream(run, { version, conversation }));
  expect(chunks.filter(({ type }) => type === "tool-input-available")).toEqual([]);
  const built = await buildMessage(version, chunks, loaded(version, conversation, id));
  expect(built.parts).toMatchObject([
    { type: "step-start" },
    { type: "tool-pay", state: "output-available", output: "paid" },
    { type: "step-start" },
    { type: "text", text: "Paid." },
  ]);
});

test("an error of a run is its last chunk, without any detail", async () => {
  const agent = new Agent({ model: new ScriptedModel(dies("Hm. ", new Error("key=abc"))), limits: { restarts: 0 } });
  const chunks = await readAll(toUIMessageStream(agent.stream("Tell.")));
  expect(chunks.at(-1)).toEqual({ type: "error", errorText: "Something went wrong." });
  expect(JSON.stringify(chunks)).toContain("Hm. ");
  expect(JSON.stringify(chunks)).not.toContain("key=abc");
});

test("a run that does not begin is an error", async () => {
  const session = new Agent({ model: new ScriptedModel() }).session();
  const chunks = await readAll(toUIMessageStream(session.resumeStream(), { errorText: () => "Nothing goes on." }));
  expect(chunks).toEqual([{ type: "error", errorText: "Nothing goes on." }]);
});

test("a run that is aborted ends as one", async () => {
  const abort = new AbortController();
  const agent = new Agent({ model: new ScriptedModel(hangs("It ")) });
  const { signal } = abort;
  const stream = toUIMessageStream(agent.stream("Tell.", { signal }), { signal });
  const chunks: UIMessageChunk[] = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
    if (chunk.type === "text-delta") abort.abort();
  }
  expect(chunks.slice(-3)).toEqual([
    { type: "data-interruption", data: { turn: 1 } },
    { type: "finish-step" },
    { type: "abort", reason: "The run was stopped." },
  ]);
});

test("canceling a stream ends its run with the next event", async () => {
  let wake = (): void => {};
  const wait = defineTool({
    name: "wait",
    description: "Waits.",
    run: async () => await new Promise<string>((resolve) => (wake = () => resolve("woke"))),
  });
  const model = new ScriptedModel(call("wait"), say("Never."));
  const reader = toUIMessageStream(new Agent({ model, tools: [wait] }).stream("Wait.")).getReader();
  for (let type = ""; type !== "tool-input-available";) type = (await reader.read()).value?.type ?? "none";
  await idle();
  await reader.cancel();
  wake();
  await idle();
  expect(model.requests.length).toBe(1);
});

test("a response has the headers of the protocol, a frame for each chunk and an end", async () => {
  const agent = new Agent({ model: new ScriptedModel(say("Hello.")) });
  const response = uiMessageStreamResponse(toUIMessageStream(agent.stream("Hi.", { runId: "r" })), {
    headers: { "x-run": "r" },
  });
  expect(Object.fromEntries(response.headers)).toEqual({
    "cache-control": "no-store, no-transform",
    connection: "keep-alive",
    "content-type": "text/event-stream",
    "x-accel-buffering": "no",
    "x-run": "r",
    "x-vercel-ai-ui-message-stream": "v1",
  });
  const frames = (await response.text()).split("\n\n");
  expect(frames.slice(-2)).toEqual(["data: [DONE]", ""]);
  const chunks = frames.slice(0, -2).map((frame) => JSON.parse(frame.replace(/^data: /, "")) as UIMessageChunk);
  expect((await buildMessage(6, chunks)).parts.at(-1)).toMatchObject({ text: "Hello." });
});

const now = defineTool({ name: "now", description: "The time.", run: () => "noon" });
