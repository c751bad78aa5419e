import type { JsonObject } from "@pollux/core";
import type { Conversation, Message, MessagePart, ToolCallPart } from "@pollux/core/conversation";
import type { ChatRequest } from "@pollux/web";
import {
  aiSdk,
  AiSdkEncoder,
  type AiSdkVersion,
  toUIMessages,
  type UIMessageChunk,
  withoutDiscards,
} from "@pollux/web/ai-sdk";
import { NO_USAGE } from "@pollux/core/model";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AI, type BuiltMessage, buildMessage, encode, loaded, settled, VERSIONS } from "./page.ts";

const step = (turn: number): MessagePart => ({ type: "turn", id: `turn:${turn}`, turn });
const text = (said: string, id = "text:1.0"): MessagePart => ({ type: "text", id, text: said });
const saying = (said: string, id = "text:1.0"): MessagePart => ({ type: "text", id, text: said, streaming: true });

function call(state: ToolCallPart["state"], fields: Partial<ToolCallPart> = {}): MessagePart {
  return { type: "tool-call", id: "call:1.0", name: "pay", args: { amount: 3 }, state, ...fields };
}

function message(parts: readonly MessagePart[], fields: Partial<Message> = {}): Message {
  return {
    id: "r:assistant",
    role: "model",
    runId: "r",
    state: "streaming",
    sources: [],
    searchEntryPoints: [],
    parts,
    ...fields,
  };
}

function conversation(one: Message): Conversation {
  const position = { log: 1, live: [0, 0, 0, 0] as const };
  return { id: "s", messages: [one], queued: [], state: "running", pending: [], usage: NO_USAGE, cost: 0, position };
}

/** What is said of each state; all is said of the last one when the run is over. */
function chunksOf(version: AiSdkVersion, ...states: readonly Message[]): readonly (readonly UIMessageChunk[])[] {
  const encoder = new AiSdkEncoder({ version });
  const said = states.map((state) => encoder.show(state, conversation(state)));
  const [last] = states.slice(-1);
  return last === undefined ? [] : [...said, encoder.finish(conversation(last))];
}

const done = { state: "complete", stopReason: "finished" } as const;

describe("the stream of a message", () => {
  test("has only what is new", () => {
    const one = message([step(1), saying("It ")]);
    const two = message([step(1), saying("It is.")]);
    const end = message([step(1), text("It is.")], { ...done, cost: 0.5 });
    const id = "turn:1/0";
    expect(chunksOf(6, one, one, two, end)).toEqual([
      [
        { type: "start", messageId: "r:assistant", messageMetadata: { runId: "r", state: "streaming", pending: [] } },
        { type: "start-step" },
        { type: "text-start", id },
        { type: "text-delta", id, delta: "It " },
      ],
      [],
      [{ type: "text-delta", id, delta: "is." }],
      [
        { type: "message-metadata", messageMetadata: { state: "complete", stopReason: "finished", cost: 0.5 } },
        { type: "text-end", id },
      ],
      [{ type: "finish-step" }, { type: "finish", finishReason: "stop" }],
    ]);
  });

  test("says what the model has read before the text that follows it", () => {
    const clean = message([step(1), call("running")]);
    const read = message([step(1), call("done", { output: 1 }), step(2), saying("See", "text:2.0")], {
      untrusted: true,
    });
    const [, second = []] = chunksOf(6, clean, read);
    expect(second[0]).toEqual({ type: "message-metadata", messageMetadata: { untrusted: true } });
    const both = toUIMessages(
      conversation(message([step(1), text("So.")], { ...done, untrusted: true, private: true })),
    );
    expect(both[0]?.metadata).toMatchObject({ untrusted: true, private: true });
  });

  test.each(VERSIONS)("in version %d has the reason of a question in its metadata", (version) => {
    const because = { reach: "outside", rule: "ask", untrusted: ["web_fetch a.example"], found: ["to"] } as const;
    const asked = call("pending-approval", { asks: { token: "t", approvedBy: "user", because } });
    const [metadata] = toUIMessages(conversation(message([step(1), asked], { state: "waiting" })), { version });
    const toolCallId = "r:assistant/call:1.0";
    expect(metadata?.metadata?.pending).toEqual([
      { toolCallId, question: "approval", token: "t", approvedBy: "user", because },
    ]);
  });

  test.each(VERSIONS)("in version %d is a link to media elsewhere, which no page shows by itself", (version) => {
    const media = { type: "media", id: "media:1.0", mimeType: "image/png" } as const;
    const uri = "https://evil.example/?d=secret";
    const own = { ...media, id: "media:1.2", data: "aGk=" };
    const parts = [step(1), { ...media, uri }, { ...media, id: "media:1.1", uri, thought: true as const }, own];
    const said = chunksOf(version, message(parts, done)).flat();
    const found = said.filter((chunk) => JSON.stringify(chunk).includes("mediaType"));
    const link = { url: uri, mediaType: "application/octet-stream" };
    expect(found).toEqual([
      { type: "file", ...link },
      version > 6 ? { type: "reasoning-file", ...link } : { type: "data-thought-file", data: link },
      { type: "file", url: "data:image/png;base64,aGk=", mediaType: "image/png" },
    ]);
  });

  test.each([
    [5, [{ type: "text-end", id: "turn:1/0" }, { type: "data-discard", data: { steps: 1 } }, { type: "finish-step" }]],
    [6, [{ type: "text-end", id: "turn:1/0" }, { type: "data-discard", data: { steps: 1 } }, { type: "finish-step" }]],
    [7, [{ type: "reset-step" }]],
  ] as const)("in version %d takes back what is void", (version, takenBack) => {
    const [, second] = chunksOf(version, message([step(1), saying("half ")]), message([step(1), saying("whole")]));
    const begun = version === 7 ? [] : [{ type: "start-step" }];
    const id = "turn:1/0";
    expect(second).toEqual([
      ...takenBack,
      ...begun,
      { type: "text-start", id },
      { type: "text-delta", id, delta: "whole" },
    ]);
  });

  test.each(VERSIONS)(
    "in version %d takes nothing back when a call turns out to stand between two texts",
    (version) => {
      const live = [step(1), saying("One. Two."), call("writing")];
      const whole = [step(1), text("One. "), call("called"), text("Two.", "text:1.1")];
      const said = chunksOf(version, message(live), message(whole)).flat();
      expect(said.filter(({ type }) => type === "data-discard" || type === "reset-step")).toEqual([]);
      expect(said.filter(({ type }) => type === "text-delta")).toEqual([
        { type: "text-delta", id: "turn:1/0", delta: "One. Two." },
      ]);
    },
  );

  test.each(VERSIONS)("in version %d begins at the change, whatever step it is in", async (version) => {
    const before = message([step(1), text("Old."), step(2), text("Two.", "text:2.0")]);
    const after = message([step(1), text("New."), step(2), text("Two.", "text:2.0")], done);
    const chunks = chunksOf(version, before, after).flat();
    expect(chunks).toContainEqual({ type: "data-discard", data: { steps: 2 } });
    const shown = withoutDiscards(await buildMessage(version, chunks));
    expect(shown).toEqual(loaded(version, conversation(after), after.id));
  });

  test.each(VERSIONS)(
    "in version %d begins a step anew that gets a part in front, or gets one late",
    async (version) => {
      const said = {
        type: "steering",
        id: "steering:1.0",
        parts: [{ type: "text", id: "text:0", text: "Be brief." }],
      } as const;
      const before = message([step(1), text("One."), step(2), text("Two.", "text:2.0")]);
      for (const parts of [
        [step(1), text("One."), step(2), said, text("Two.", "text:2.0")],
        [step(1), text("One."), call("done"), step(2), text("Two.", "text:2.0")],
        [step(2), text("Two.", "text:2.0")],
      ]) {
        const after = message(parts, done);
        const chunks = chunksOf(version, before, after).flat();
        const shown = withoutDiscards(await buildMessage(version, chunks));
        expect(shown).toEqual(loaded(version, conversation(after), after.id));
      }
    },
  );

  test.each(VERSIONS)("in version %d takes back one step after the other", async (version) => {
    const states = [
      message([step(1), text("One."), step(2), saying("half", "text:2.0")]),
      message([step(1), text("One.")]),
      message([step(1), text("New."), step(2), text("Two.", "text:2.0")], done),
    ];
    const last = states.at(-1) as Message;
    const built = await buildMessage(version, chunksOf(version, ...states).flat());
    expect(withoutDiscards(built)).toEqual(loaded(version, conversation(last), last.id));
  });

  test("takes back a step that the page had before it answered", async () => {
    const known = message([step(1), text("Old."), call("pending-output")], { state: "waiting" });
    const now = message([step(1), text("New.")], done);
    const chunks = encode(7, [[now, conversation(now)]], { known });
    const built = await buildMessage(7, chunks, loaded(7, conversation(known), known.id));
    expect(built.parts).toEqual(loaded(7, conversation(now), now.id).parts);
  });

  test.each(VERSIONS)("in version %d follows a call that is made once more", async (version) => {
    const states = [
      message([step(1), call("running", { progress: { percent: 50 } })]),
      message([step(1), call("called")]),
    ];
    const chunks = encode(
      version,
      states.map((state) => [state, conversation(state)]),
    );
    expect((await buildMessage(version, chunks)).parts[1]).toMatchObject({
      type: "tool-pay",
      state: "input-available",
    });
  });

  test("tells a page of version 7 that a call was approved elsewhere", () => {
    const asking = call("pending-approval", { asks: { token: "t1", approvedBy: "user" } });
    const [, second] = chunksOf(7, message([step(1), asking]), message([step(1), call("called")]));
    expect(second).toEqual([
      { type: "message-metadata", messageMetadata: { pending: [] } },
      { type: "tool-approval-response", approvalId: "t1", approved: true },
    ]);
  });

  test("has the arguments of a call as soon as they are written", () => {
    const writing = { type: "tool-call", id: "call:1.0", name: "pay", args: {}, state: "writing" } as const;
    const toolCallId = "r:assistant/call:1.0";
    const states = [writing, { ...writing, args: { amount: 3 } }, call("called")].map((one) => message([step(1), one]));
    expect(chunksOf(6, ...states).slice(0, 3)).toEqual([
      [
        { type: "start", messageId: "r:assistant", messageMetadata: { runId: "r", state: "streaming", pending: [] } },
        { type: "start-step" },
        { type: "tool-input-start", toolCallId, toolName: "pay" },
      ],
      [{ type: "tool-input-delta", toolCallId, inputTextDelta: '{"amount":3}' }],
      [{ type: "tool-input-available", toolCallId, toolName: "pay", input: { amount: 3 } }],
    ]);
  });

  test.each(VERSIONS)(
    "in version %d says that a tool of the service did not finish once nothing goes on",
    async (version) => {
      const tool = {
        type: "server-tool",
        id: "server-tool:1.0",
        name: "GOOGLE_SEARCH_WEB",
        args: {},
        state: "running",
      } as const;
      const going = message([step(1), tool]);
      const stopped = message([step(1), tool], { state: "stopped", stopReason: "aborted" });
      const shown = loaded(version, conversation(going), going.id);
      expect(shown.parts[1]).toMatchObject({ state: "input-available", providerExecuted: true });
      const built = await buildMessage(version, chunksOf(version, going, stopped).flat());
      expect(built.parts[1]).toMatchObject({ state: "output-error", errorText: "The tool did not finish." });
      expect(built).toEqual(loaded(version, conversation(stopped), stopped.id));
    },
  );
});

describe("a run that goes on", () => {
  test.each(VERSIONS)("in the same stream takes back what was interrupted, in version %d", async (version) => {
    const interruption = { type: "interruption", id: "interruption", turn: 1 } as const;
    const states = [
      message([step(1), saying("It beg")]),
      message([step(1), text("It began"), interruption], { state: "interrupted" }),
      message([step(1), saying("Anew")]),
      message([step(1), text("Anew.")], done),
    ];
    const last = states.at(-1) as Message;
    const built = await buildMessage(version, chunksOf(version, ...states).flat());
    expect(withoutDiscards(built)).toEqual(loaded(version, conversation(last), last.id));
  });

  test("is streamed from the beginning to a page that has sent a message, and from what is new to a page that has answered", () => {
    const known = message([step(1), call("pending-approval")], { state: "waiting" });
    const now = message([step(1), call("done", { output: 1 })]);
    const protocol = aiSdk();
    const types = (request: ChatRequest) =>
      protocol
        .encoder({ known, request })
        .show(now, conversation(now))
        .map(({ type }) => type);
    const answers = [{ callId: "call:1.0", approval: true }];
    expect(types({ id: "c", answers })).toEqual(["start", "tool-output-available"]);
    const whole = ["start", "start-step", "tool-input-available", "tool-output-available"];
    expect(types({ id: "c", answers, message: { input: "And?" } })).toEqual(whole);
  });
});

describe("any states of a message, one after the other", () => {
  const words = fc.constantFrom("a", "ab", "abc", "b");
  // Without approvals, which version 7 keeps in the part.
  const states = fc.constantFrom<ToolCallPart["state"]>("writing", "called", "pending-output", "running", "done");
  const part = fc.oneof(
    fc.record({ type: fc.constant("text" as const), text: words }),
    fc.record({ type: fc.constant("thought" as const), text: words }),
    fc.constant({ type: "media" as const, mimeType: "image/png", data: "aGk=" }),
    fc.record({
      type: fc.constant("tool-call" as const),
      name: fc.constantFrom("pay", "go"),
      args: fc.constantFrom<JsonObject>({}, { n: 1 }, { n: 2 }),
      state: states,
    }),
  );
  const turns = fc.array(fc.array(part, { minLength: 1, maxLength: 3 }), { maxLength: 3 });
  /** Ids as core makes them: by the kind, the turn and the place among its kind. */
  const parts = turns.map((all) =>
    all.flatMap((own, index): readonly MessagePart[] => {
      const turn = index + 1;
      const named = own.map((one, at) => {
        const place = own.slice(0, at).filter(({ type }) => type === one.type).length;
        return { ...one, id: `${one.type === "tool-call" ? "call" : one.type}:${turn}.${place}` };
      });
      return [step(turn), ...named];
    }),
  );

  test.each(VERSIONS)("make what the last of them is, in version %d", async (version) => {
    const property = fc.asyncProperty(fc.array(parts, { minLength: 1, maxLength: 5 }), async (all) => {
      const last = message(all.at(-1) ?? [], done);
      const chunks = chunksOf(version, ...all.map((one) => message(one)), last).flat();
      const built = await buildMessage(version, chunks);
      // What was taken back can leave an empty step.
      const whole = loaded(version, conversation(last), last.id);
      expect(settled(version, built, chunks)).toEqual(settled(version, whole, chunks));
    });
    await fc.assert(property, { numRuns: 150, seed: 1 });
  });
});

describe("calls", () => {
  test("of tools that the page does not know are dynamic, and so are calls without a name", () => {
    const parts = [call("done", { output: 1 }), call("done", { id: "call:1.1", name: "mcp_x" })];
    const unnamed = call("not-run", { id: "call:1.2", name: "" });
    const one = message([step(1), ...parts, unnamed], done);
    const options = { isDynamic: (name: string) => name.startsWith("mcp_") };
    expect(toUIMessages(conversation(one), options)[0]?.parts.slice(1, 4)).toMatchObject([
      { type: "tool-pay" },
      { type: "dynamic-tool", toolName: "mcp_x" },
      { type: "dynamic-tool", toolName: "" },
    ]);
    const chunks = new AiSdkEncoder(options).show(one, conversation(one));
    expect(chunks.filter(({ type }) => type === "tool-input-available")).toMatchObject([
      { toolName: "pay" },
      { toolName: "mcp_x", dynamic: true },
      { toolName: "", dynamic: true },
    ]);
  });

  test.each(VERSIONS)("say that a person has changed their input, in version %d", async (version) => {
    const args = { amount: 2 };
    for (const edited of [{ args, edited: true }, { edited: true }] as const) {
      const asked = message([step(1), call("pending-approval")], { state: "waiting" });
      const ran = message([step(1), call("running", edited)]);
      const over = message(
        [step(1), call("done", { output: "paid", ...edited }), step(2), { ...text("Paid."), id: "text:2.0" }],
        done,
      );
      const whole = loaded(version, conversation(over), over.id);
      expect(whole.parts[1]).toMatchObject({ callProviderMetadata: { pollux: { edited: true } } });
      for (const states of [[asked, ran, over], [asked, over], [over]]) {
        const chunks = chunksOf(version, ...states).flat();
        const built = await buildMessage(version, chunks);
        expect(settled(version, built, chunks)).toEqual(settled(version, whole, chunks));
      }
    }
  });

  test("say what they wait for", () => {
    const asks = (token: string, approvedBy?: string) => ({ asks: { token, ...(approvedBy && { approvedBy }) } });
    const pending = [
      call("pending-approval", { asks: { token: "t0", approvedBy: "user", editable: ["n"] } }),
      call("pending-outcome", { id: "call:1.1", ...asks("t1") }),
      call("pending-output", { id: "call:1.2", ...asks("t2", "user") }),
      call("pending-approval", { id: "call:1.3", ...asks("t3", "support") }),
      call("pending-approval", { id: "call:1.4", ...asks("t4") }),
    ];
    const one = message([step(1), ...pending], { state: "waiting" });
    const [shown] = toUIMessages(conversation(one));
    expect(shown?.metadata?.pending).toEqual([
      {
        toolCallId: "r:assistant/call:1.0",
        question: "approval",
        token: "t0",
        approvedBy: "user",
        editable: ["n"],
      },
      { toolCallId: "r:assistant/call:1.1", question: "unknown-outcome", token: "t1" },
      { toolCallId: "r:assistant/call:1.2", question: "outcome", token: "t2", approvedBy: "user" },
      { toolCallId: "r:assistant/call:1.3", question: "approval", token: "t3", approvedBy: "support" },
      { toolCallId: "r:assistant/call:1.4", question: "approval", token: "t4" },
    ]);
    const waits = { state: "input-available" };
    expect(shown?.parts.slice(1)).toMatchObject([
      { state: "approval-requested", approval: { id: "t0" } },
      waits,
      waits,
      waits,
      waits,
    ]);
    const [all] = toUIMessages(conversation(one), { isAnswerable: () => true });
    expect(all?.parts.at(-2)).toMatchObject({ state: "approval-requested", approval: { id: "t3" } });
  });
});

describe("what a text is based on", () => {
  const sources = [
    { number: 1, kind: "web", uri: "https://a.example", title: "A" },
    { number: 2, kind: "document", pageNumber: 7, mediaId: "fileSearchStores/s/media/m" },
  ] as const;
  const cited: MessagePart = {
    type: "text",
    id: "text:1.0",
    text: "It is warm.",
    citations: [{ start: 6, end: 10, sources: [1, 2] }],
  };
  const grounded = { sources, searchEntryPoints: ["<b>oslo</b>"], ...done };

  test.each(VERSIONS)("is in ranges and parts of their own, in version %d", async (version) => {
    const one = message([step(1), cited], grounded);
    const built = await buildMessage(version, chunksOf(version, message([step(1), saying("It is")]), one).flat());
    const ranges = [{ start: 6, end: 10, sources: ["1", "2"] }];
    const document = { mediaType: "application/octet-stream", title: "Source 2" };
    const citations = [
      { type: "source", sourceType: "url", id: "1", url: "https://a.example", title: "A" },
      { type: "source", sourceType: "document", id: "2", ...document },
    ].map((source) => ({ source, startIndex: 6, endIndex: 10 }));
    expect(built.parts).toEqual([
      { type: "step-start" },
      {
        type: "text",
        text: "It is warm.",
        state: "done",
        providerMetadata: { pollux: { citations: ranges } },
        ...(version === 7 && { citations }),
      },
      {
        type: "source-url",
        sourceId: "1",
        url: "https://a.example",
        title: "A",
        providerMetadata: { pollux: { number: 1, kind: "web" } },
      },
      {
        type: "source-document",
        sourceId: "2",
        ...document,
        providerMetadata: {
          pollux: { number: 2, kind: "document", pageNumber: 7, mediaId: "fileSearchStores/s/media/m" },
        },
      },
      { type: "data-search-suggestions", data: { html: ["<b>oslo</b>"] } },
    ]);
    expect(built).toEqual(loaded(version, conversation(one), one.id));
  });

  const ACTING = [
    "javascript:alert(1)",
    "data:text/html,<script>",
    " javascript:alert(1)",
    "//evil.example",
    "gs://a/b.pdf",
  ];

  test.each(VERSIONS.flatMap((version) => ACTING.map((uri) => [version, uri] as const)))(
    "is no link unless it is on the web: version %d, %s",
    async (version, uri) => {
      const named = [
        { number: 1, kind: "web", uri, title: "A" },
        { number: 2, kind: "url", uri },
      ] as const;
      const one = message([step(1), cited], { ...grounded, sources: named });
      const built = await buildMessage(version, chunksOf(version, one).flat());
      const document = { type: "source-document", mediaType: "application/octet-stream" };
      expect(built.parts.slice(2, 4)).toMatchObject([
        { ...document, sourceId: "1", title: "A" },
        { ...document, sourceId: "2", title: "Source 2" },
      ]);
      expect(JSON.stringify(built)).not.toContain(JSON.stringify(uri).slice(1, -1));
      expect(built).toEqual(loaded(version, conversation(one), one.id));
    },
  );

  test.each(VERSIONS)("is a file without an address that acts, in version %d", (version) => {
    const files = (uri: string): readonly MessagePart[] => [
      { type: "media", id: "media:1.0", mimeType: "text/html", uri },
      { type: "media", id: "media:1.1", mimeType: "text/html", uri, thought: true },
      { type: "steering", id: "steering:1", parts: [{ type: "media", id: "media:0", mimeType: "text/html", uri }] },
    ];
    const shown = (uri: string): string =>
      JSON.stringify([
        chunksOf(version, message([step(1), ...files(uri)], done)),
        toUIMessages(conversation({ ...message(files(uri).slice(0, 1)), role: "user" }), { version }),
      ]);
    expect(shown("javascript:alert(1)")).not.toContain("alert");
    expect(shown("data:text/html,alert")).not.toContain("alert");
    for (const uri of ["https://a.example/b.html", "gs://a/b.html"]) expect(shown(uri).split(uri)).toHaveLength(5);
  });

  test.each(VERSIONS)("is one sound that a page can play, once all its pieces are there, in version %d", (version) => {
    const mimeType = "audio/L16;codec=pcm;rate=24000";
    const piece = (index: number): MessagePart => ({ type: "media", id: `media:1.${index}`, mimeType, data: "AQA=" });
    const pieces = [step(1), piece(0), piece(1)];
    const said = chunksOf(
      version,
      message(pieces),
      message([...pieces, piece(2)]),
      message([...pieces, piece(2), saying("So.")]),
      message([...pieces, piece(2), saying("So."), piece(3)]),
      message([...pieces, piece(2), text("So."), piece(3)], done),
    );
    const urls = said.map((chunks) => chunks.flatMap((chunk) => (chunk.type === "file" ? [chunk.url] : [])));
    const samples = urls.map((found) =>
      found.map((url) => [...Buffer.from(url.split(",")[1] ?? "", "base64").subarray(44)]),
    );
    expect(samples).toEqual([[], [], [[1, 0, 1, 0, 1, 0]], [], [[1, 0]], []]);
    for (const url of urls.flat()) expect(url).toMatch(/^data:audio\/wav;base64,UklGR/);
    expect(said.flat().filter(({ type }) => type === "data-discard" || type === "reset-step")).toEqual([]);
  });

  test("is shifted with the text where a call stood between two texts", () => {
    const parts = [step(1), text("Hm. ", "text:1.9"), call("done"), cited];
    const [shown] = toUIMessages(conversation(message(parts, grounded)));
    expect(shown?.parts[1]).toMatchObject({
      text: "Hm. It is warm.",
      providerMetadata: { pollux: { citations: [{ start: 10, end: 14, sources: ["1", "2"] }] } },
    });
  });
});

describe("a message ends", () => {
  test.each([
    [{ stopReason: "finished" }, { type: "finish", finishReason: "stop" }],
    [
      { stopReason: "truncated", state: "failed" },
      { type: "finish", finishReason: "length" },
    ],
    [
      { stopReason: "blocked", state: "failed" },
      { type: "finish", finishReason: "content-filter" },
    ],
    [
      { stopReason: "guardrail", state: "stopped" },
      { type: "finish", finishReason: "content-filter" },
    ],
    [
      { stopReason: "needs-approval", state: "waiting" },
      { type: "finish", finishReason: "tool-calls" },
    ],
    [
      { stopReason: "limit", limit: "turns", state: "stopped" },
      { type: "finish", finishReason: "other" },
    ],
    [
      { stopReason: "bad-call", state: "failed" },
      { type: "finish", finishReason: "error" },
    ],
    [
      { stopReason: "aborted", state: "stopped" },
      { type: "abort", reason: "The run was stopped." },
    ],
    [
      { stopReason: "failed", state: "failed", error: { name: "Error", message: "The answer broke off." } },
      { type: "error", errorText: "The answer broke off." },
    ],
    [{ state: "interrupted" }, { type: "finish", finishReason: "other" }],
  ] as const)("as %j says", (fields, last) => {
    const one = message([step(1), text("Hm.")], { state: "complete", ...fields });
    expect(chunksOf(6, one).flat().at(-1)).toEqual(last);
  });

  test("with an error that says nothing of what it was", async () => {
    const encoder = new AiSdkEncoder();
    const one = message([step(1), saying("Hm.")]);
    const chunks = [...encoder.show(one, conversation(one)), ...encoder.fail(new Error("secret"))];
    expect(chunks.slice(-3)).toEqual([
      { type: "text-end", id: "turn:1/0" },
      { type: "finish-step" },
      { type: "error", errorText: "Something went wrong." },
    ]);
    const own = new AiSdkEncoder({ errorText: () => "Reference 7." });
    expect(own.fail(new Error("secret"))).toEqual([{ type: "error", errorText: "Reference 7." }]);
    await buildMessage(6, chunks);
  });

  test("even when nothing of it was seen", () => {
    expect(new AiSdkEncoder().finish(conversation(message([])))).toEqual([{ type: "finish", finishReason: "other" }]);
  });

  test.each(VERSIONS)("after calls so that version %d does not send them back", async (version) => {
    const limit = { state: "stopped", stopReason: "limit", limit: "turns" } as const;
    for (const parts of [
      [step(1), call("done")],
      [step(1), text("Hm."), call("done")],
    ]) {
      const built = await buildMessage(version, chunksOf(version, message(parts, limit)).flat());
      const messages: readonly BuiltMessage[] = [built];
      expect(AI[version].lastAssistantMessageIsCompleteWithToolCalls({ messages })).toBe(false);
    }
  });
});

describe("messages of a conversation", () => {
  test("have queued messages at the end", () => {
    const said = { type: "text", id: "text:0", text: "And?" } as const;
    const media = { type: "media", id: "media:0", mimeType: "image/png", data: "aGk=", name: "a.png" } as const;
    const hologram = { type: "unknown", id: "unknown:0", keys: ["hologram"] } as const;
    const asked = message([{ ...said, text: "Is it?" }, media, hologram], {
      role: "user",
      id: "r:user",
      at: 5,
      ...done,
    });
    const one = { ...conversation(asked), queued: [{ id: "q", at: 7, parts: [said] }] };
    expect(toUIMessages(one)).toEqual([
      {
        id: "r:user",
        role: "user",
        metadata: { runId: "r", createdAt: 5 },
        parts: [
          { type: "text", text: "Is it?" },
          { type: "file", url: "data:image/png;base64,aGk=", mediaType: "image/png", filename: "a.png" },
          { type: "data-unknown", data: { keys: ["hologram"] } },
        ],
      },
      { id: "q", role: "user", metadata: { createdAt: 7, queued: true }, parts: [{ type: "text", text: "And?" }] },
    ]);
  });
});

describe("a message without discards", () => {
  test("is the same when there are none", () => {
    const one = { parts: [{ type: "step-start" }, { type: "text" }] };
    expect(withoutDiscards(one)).toBe(one);
  });

  test("has the steps that count", () => {
    const start = { type: "step-start" };
    const discard = (steps: number) => ({ type: "data-discard", data: { steps } });
    const said = (what: string) => ({ type: "text", text: what });
    const parts = [start, said("a"), start, said("b"), discard(1), start, said("c"), discard(2), start, said("d")];
    expect(withoutDiscards({ id: "m", parts })).toEqual({ id: "m", parts: [start, said("d")] });
  });
});
