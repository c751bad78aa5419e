import { defineTool, MemoryStore } from "@pollux/core";
import { call, grounded, parts, say } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { inlineMedia } from "../../src/server/media-response.ts";
import { readTurn } from "../../src/inspection/read-turn.ts";
import type { TurnDetails } from "../../src/inspection/turn-details.ts";
import { foldOf, keyed, sessionOf } from "../support/sessions.ts";

async function turnOf(script: Parameters<typeof sessionOf>[1], turn: number = 1): Promise<TurnDetails> {
  const store = new MemoryStore();
  await sessionOf(store, script).send("Hello");
  const fold = await foldOf(store);
  return readTurn(fold, fold.overview().runs[0]!.runId, turn)!;
}

test("a turn has its parts, the signatures with their models, the calls and the responses", async () => {
  const signed = { functionCall: { id: "c1", name: "add", args: { a: 1, b: 2 } }, thoughtSignature: "QUJDRA==" };
  const { before, answers, calls, responses, row } = await turnOf([
    parts({ text: "Hm", thought: true }, signed),
    say("3"),
  ]);
  expect(before).toMatchObject([{ role: "user", origin: "input", parts: [{ kind: "text", text: "Hello" }] }]);
  expect(answers).toMatchObject([
    {
      step: "model:1",
      finishReason: "STOP",
      content: {
        origin: "answer",
        parts: [
          { kind: "thought", index: 0, text: "Hm" },
          {
            kind: "call",
            index: 1,
            id: "c1",
            name: "add",
            args: { a: 1, b: 2 },
            callId: "call:1.0",
            signature: { bytes: 4, start: "QUJDRA==", madeBy: expect.stringContaining("gemini-scripted") },
            raw: signed,
          },
        ],
      },
    },
  ]);
  expect(calls).toMatchObject([{ callId: "call:1.0", name: "add", state: "ok", response: { output: 3 } }]);
  expect(responses).toMatchObject([
    { origin: "responses", parts: [{ kind: "response", name: "add", response: { output: 3 } }] },
  ]);
  expect(row.turn).toBe(1);
});

test("the response to a call without a step is shown with the call", async () => {
  const store = new MemoryStore();
  const session = sessionOf(store, [call("pay", { amount: 5 }), say("Not paid.")]);
  await session.send("Pay");
  await session.resume(await keyed(store, { approvals: { "call:1.0": { deny: "too much" } } }));
  const fold = await foldOf(store);
  const [told] = readTurn(fold, fold.overview().runs[0]!.runId, 1)!.calls;
  expect(told).toMatchObject({
    state: "denied",
    failure: { kind: "denied" },
    response: { error: expect.stringContaining("too much") as unknown },
  });
});

test("a note about a call names its tool", async () => {
  expect((await turnOf([call("pay", { amount: 3 })])).notes).toMatchObject([{ text: "pay needed approval." }]);
});

test("a call that may have taken effect when its run died is unknown", async () => {
  const store = new MemoryStore();
  const send = defineTool({ name: "send", description: "Sends.", effects: "once", run: () => "sent" });
  await sessionOf(store, [call("send"), say("Sent.")], { tools: [send] }).send("Send");
  const entries = await store.load("chat-1");
  const begun = entries.findIndex((entry) => (entry as { readonly type?: string }).type === "begin");
  const dead = new MemoryStore();
  await dead.append("chat-1", 0, entries.slice(0, begun + 1));
  await sessionOf(dead, [say("Perhaps.")]).send("Was it sent?");
  const fold = await foldOf(dead);
  expect(readTurn(fold, fold.overview().runs[0]!.runId, 1)!.calls).toMatchObject([{ state: "unknown" }]);
});

test("a call that was cut off with its run has no outcome, since it may have begun", async () => {
  const store = new MemoryStore();
  const stop = new AbortController();
  const slow = defineTool({
    name: "slow",
    description: "Waits.",
    run: async (_, { signal }) => {
      stop.abort();
      return await new Promise<never>((_resolve, reject) => reject(signal.reason));
    },
  });
  const session = sessionOf(store, [call("slow")], { tools: [slow] });
  await expect(session.send("Wait", { signal: stop.signal })).rejects.toThrow();
  const fold = await foldOf(store);
  const { calls, responses } = readTurn(fold, fold.overview().runs[0]!.runId, 1)!;
  expect(calls).toMatchObject([{ state: "open", response: undefined }]);
  expect(responses).toMatchObject([{ origin: "responses" }]);
});

test("members that this release does not know are named, and parts without any known one are unknown", async () => {
  const { answers } = await turnOf([parts({ text: "Hi", mood: "good" } as never, { hologram: { size: 3 } } as never)]);
  expect(answers[0]?.content?.parts).toMatchObject([
    { kind: "text", unknown: ["mood"] },
    { kind: "unknown", unknown: ["hologram"], raw: { hologram: { size: 3 } } },
  ]);
});

test("inline media have their size, and their bytes can be found", async () => {
  const store = new MemoryStore();
  const image = { inlineData: { mimeType: "image/png", data: "aGVsbG8=" } };
  await sessionOf(store, [parts(image, { text: "A picture" })]).send("Draw");
  const fold = await foldOf(store);
  const details = readTurn(fold, fold.overview().runs[0]!.runId, 1)!;
  const { media } = details.answers[0]!.content!.parts[0]!;
  expect(media).toMatchObject({ mimeType: "image/png", bytes: 5 });
  const { position, path } = media!.ref!;
  expect(inlineMedia(fold.entries, position, path.join("/"))).toEqual({
    mimeType: "image/png",
    bytes: new TextEncoder().encode("hello"),
  });
});

test.each(["outcome/value", "__proto__/inlineData", "outcome/constructor/inlineData", "", "inlineData"])(
  "nothing else of an entry is read as media: %s",
  async (path) => {
    const store = new MemoryStore();
    await sessionOf(store, [say("Hi")]).send("Hello");
    expect(inlineMedia(await store.load("chat-1"), 1, path)).toBeUndefined();
  },
);

test("citations are ranges of the texts of parts", async () => {
  const answer = grounded("Oslo is in Norway.", { sources: [{ uri: "https://a.example", title: "A" }] });
  const { answers, sources } = await turnOf([answer]);
  expect(sources).toMatchObject([{ number: 1, uri: "https://a.example", title: "A" }]);
  expect(answers[0]?.content?.parts[0]?.citations).toEqual([{ start: 0, end: 18, sources: [1] }]);
  expect(answers[0]?.lostCitations).toEqual([]);
});

test("the page of a document follows its title", async () => {
  const retrievedContext = { title: "Manual", pageNumber: 7 };
  const { sources } = await turnOf([
    { ...say("See page 7."), candidate: { groundingMetadata: { groundingChunks: [{ retrievedContext }] } } },
  ]);
  expect(sources).toEqual([{ number: 1, kind: "document", title: "Manual, page 7" }]);
});

test("a support that can't be shown as a citation says why", async () => {
  const store = new MemoryStore();
  await sessionOf(store, [
    grounded("Oslo is in Norway.", { sources: [{ uri: "https://a.example", title: "A" }] }),
  ]).send("Where?");
  // A support from a service that miscounts.
  const entries = JSON.parse(JSON.stringify(await store.load("chat-1"))) as any[];
  const { candidate } = entries[1].outcome.value.response;
  candidate.groundingMetadata.groundingSupports = [
    { segment: { text: "Bergen is in Norway.", startIndex: 0, endIndex: 20 }, groundingChunkIndices: [0] },
    { segment: { text: "Oslo", startIndex: 0, endIndex: 4 }, groundingChunkIndices: [7] },
    { segment: { text: "Oslo", startIndex: 0, endIndex: 4 } },
  ];
  const changed = new MemoryStore();
  await changed.append("chat-1", 0, entries);
  const fold = await foldOf(changed);
  const { answers } = readTurn(fold, entries[0].runId, 1)!;
  expect(fold.overview().runs[0]?.turns[0]?.flags).toEqual(["search", "lost-citation"]);
  expect(answers[0]?.lostCitations.map(({ why }) => why)).toEqual([
    "Its text is not in the answer.",
    "Its sources (7) are not among the 1 that came with the answer.",
    "The service named no source for it.",
  ]);
});

test("a missing turn is undefined", async () => {
  const store = new MemoryStore();
  await sessionOf(store, [call("add", { a: 1, b: 1 }), say("2")]).send("Hello");
  const fold = await foldOf(store);
  const { runId } = fold.overview().runs[0]!;
  expect(readTurn(fold, runId, 3)).toBeUndefined();
  expect(readTurn(fold, "another", 1)).toBeUndefined();
});
