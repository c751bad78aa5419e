import { Agent, type Content, ApiStatusError, type RunEvent, runSoFar } from "@pollux/core";
import { ApiTimeoutError, StreamIncompleteError } from "@pollux/core/errors";
import { type Fault, type FaultRequest, faults, say } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { faces } from "../../packages/core/test/helpers/faces.ts";
import { answer, chunk, eventStream, openRawService, type RawAnswer } from "../support/raw-service.ts";
import { SILENCE_MS } from "../support/made-up-time.ts";
import { sketch, sketches } from "../support/sketch.ts";
import { add, ANSWER, byStep, TOOLS, trip } from "../support/trip.ts";
import { watch } from "../support/watch.ts";
import { openWorld } from "../support/world.ts";

const OVERLOADED = { error: { code: 503, message: "The model is overloaded. Try later.", status: "UNAVAILABLE" } };
const LONG = "One two three. ".repeat(12).trim();

/** The run of {@link trip} with a second answer that broke once. */
const BROKEN_ONCE = (what: string): string => `
  run-start turn-start thought-delta text-delta part part response tool-start tool-start tool-end tool-end turn-end
  turn-start ${what} part response tool-start tool-end turn-end
  turn-start text-delta response turn-end run-end`;

const HISTORY = [
  'user: "Weather?"',
  'model: ~"The weather first." "Let me look." get_weather({"city":"Oslo"})* get_weather({"city":"Lima"}) ""',
  'user: get_weather <- {"output":{"city":"Oslo","celsius":4}} get_weather <- {"output":{"city":"Lima","celsius":4}}',
  'model: add({"a":4,"b":4})* ""',
  'user: add <- {"output":8}',
  `model: ${JSON.stringify(ANSWER)} ""*`,
];

/** The kept part of a broken answer: the question, and the beginning of the text. */
function expectInterrupted(
  { contents, error }: { readonly contents: readonly Content[]; readonly error?: unknown },
  question: string,
  whole: string,
  saidAnything = true,
): void {
  if (!saidAnything) return expect(sketch(contents)).toEqual([question]);
  expect(sketch(contents.slice(0, -1))).toEqual([question]);
  const last = contents.at(-1);
  expect(last).toEqual(runSoFar(error)?.interrupted);
  const text = last?.parts.map((part) => part.text).join("") ?? "";
  expect(text).not.toBe("");
  expect(whole.startsWith(text)).toBe(true);
}

describe.each(faces)("%s", (face) => {
  describe.each<[string, Fault, object]>([
    ["503", faults.overloaded(), { status: 503, reason: "UNAVAILABLE" }],
    ["503 in other words", faults.overloaded({ wording: "high-demand" }), { status: 503, reason: "UNAVAILABLE" }],
    ["500", faults.internalError(), { status: 500, reason: "INTERNAL" }],
    ["502 with a page", faults.htmlPage(), { status: 502 }],
    ["429 that says nothing", faults.plainQuota(), { status: 429, reason: "RESOURCE_EXHAUSTED" }],
    ["503 wrapped in a list", faults.arrayWrappedError(), { status: 503, reason: "UNAVAILABLE" }],
  ])("the service refuses before any byte with a %s", (_what, fault, facts) => {
    test.each([1, 2, 3])("%i times: the same request is sent again each time", async (times) => {
      const at = ({ number }: FaultRequest): boolean => number > 1 && number <= 1 + times;
      await using world = await openWorld({ brain: trip(), faults: [{ at, fault }] });
      const agent = new Agent({ model: world.model(), tools: TOOLS, settings: { includeThoughts: true } });
      const seen = await watch(face, agent, "Weather?");
      seen.saw(BROKEN_ONCE("notice ".repeat(times)));
      expect(world.bodies).toHaveLength(3 + times);
      expect(new Set(world.bodies.slice(1, 2 + times)).size).toBe(1);
      expect(sketch(seen.contents)).toEqual(HISTORY);
      expect(seen.result).toMatchObject({ stopReason: "finished", text: ANSWER, turns: 3 });
    });

    test("always: the run fails with its status after three more tries, and with what was done", async () => {
      await using world = await openWorld({ brain: trip(), faults: [{ at: ({ number }) => number > 1, fault }] });
      const agent = new Agent({ model: world.model(), tools: TOOLS, settings: { includeThoughts: true } });
      const seen = await watch(face, agent, "Weather?");
      seen.saw(`run-start turn-start thought-delta text-delta part part response
        tool-start tool-start tool-end tool-end turn-end turn-start notice notice notice`);
      const notices = seen.events.flatMap((event) => (event.type === "notice" ? [event.notice] : []));
      const { status } = facts as { readonly status: number };
      if (face !== "run")
        expect(notices).toMatchObject(
          [1, 2, 3].map((attempt) => ({ type: "retry", attempt, error: { code: "api_status", status } })),
        );
      expect(world.bodies).toHaveLength(5);
      expect(seen.error).toBeInstanceOf(ApiStatusError);
      expect(seen.error).toMatchObject({ ...facts, retryable: true });
      expect(sketch(seen.contents)).toEqual(HISTORY.slice(0, 3));
      expect(runSoFar(seen.error)).toMatchObject({ turns: 2, usage: { requests: 1 } });
    });
  });

  describe.each<[string, Fault, object]>([
    [
      "200, and then an error among the chunks",
      faults.errorInStream(),
      { code: "api_status", status: 503, reason: "UNAVAILABLE" },
    ],
    [
      "200, and then an error without `data:`",
      faults.errorInStream({ bare: true }),
      { code: "api_status", status: 503, reason: "UNAVAILABLE" },
    ],
    ["200, and then a gateway's error", faults.gatewayErrorInStream(), { code: "api_status" }],
    ["the connection closes without a finish reason", faults.closeEarly(), { code: "stream_incomplete" }],
    ["the connection closes before any chunk", faults.closeEarly({ afterChunks: 0 }), { code: "stream_incomplete" }],
    ["the connection closes inside an object", faults.closeMidJson({ atByte: 700 }), { code: "stream_incomplete" }],
  ])("%s", (symptom, fault, expected) => {
    const brain = byStep(() => say(LONG));

    test("once: what came is void, the same request is sent again", async () => {
      await using world = await openWorld({ brain, faults: [{ at: 1, fault }] });
      const seen = await watch(face, new Agent({ model: world.model() }), "Count.");
      const discards = seen.events.filter(({ type }) => type === "discard");
      expect(discards).toHaveLength(face === "run" ? 0 : 1);
      const types = seen.events.map(({ type }) => type).filter((type) => type !== "text-delta" && type !== "discard");
      if (face !== "run") {
        expect(types).toEqual(["run-start", "turn-start", "response", "turn-end", "run-end"]);
        expect(shown(seen.events)).toBe(LONG);
      }
      expect(world.bodies).toHaveLength(2);
      expect(world.bodies[1]).toBe(world.bodies[0]);
      expect(sketch(seen.contents)).toEqual(['user: "Count."', `model: ${JSON.stringify(LONG)} ""*`]);
      expect(seen.result).toMatchObject({ stopReason: "finished", text: LONG, turns: 1, usage: { incomplete: true } });
    });

    test("always: the run fails after two more tries, and the history keeps what the last one said", async () => {
      await using world = await openWorld({ brain, faults: [{ at: () => true, fault }] });
      const seen = await watch(face, new Agent({ model: world.model(), limits: { restarts: 2 } }), "Count.");
      expect(world.bodies).toHaveLength(3);
      expect(new Set(world.bodies).size).toBe(1);
      expect(seen.error).toMatchObject({ ...expected, retryable: true });
      expectInterrupted(seen, 'user: "Count."', LONG, !symptom.includes("before any chunk"));
      expect(runSoFar(seen.error)).toMatchObject({ turns: 1, usage: { requests: 3, incomplete: true } });
    });
  });

  test("200, and then an error instead of the first chunk: the same request is sent again; always: the run fails", async () => {
    const brain = byStep(() => say(LONG));
    const fault = faults.errorInStream({ afterChunks: 0 });
    await using world = await openWorld({ brain, faults: [{ at: 1, fault }] });
    const seen = await watch(face, new Agent({ model: world.model() }), "Count.");
    seen.saw("run-start turn-start notice text-delta response turn-end run-end");
    expect(seen.result).toMatchObject({ stopReason: "finished", text: LONG });
    expect(world.bodies[1]).toBe(world.bodies[0]);

    await using broken = await openWorld({ brain, faults: [{ at: () => true, fault }] });
    const failed = await watch(face, new Agent({ model: broken.model() }), "Count.");
    expect(failed.error).toBeInstanceOf(ApiStatusError);
    expect(failed.error).toMatchObject({ status: 503, retryable: true });
    expect(sketch(failed.contents)).toEqual(['user: "Count."']);
  });

  test("the connection is reset: what came is void, the same request is sent again, three times in all", async () => {
    const cut: RawAnswer = async (response, isRead) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(eventStream(chunk([{ text: "One " }])));
      await isRead();
      response.socket?.resetAndDestroy();
    };
    await using service = await openRawService(cut, answer({ text: "Two." }));
    const seen = await watch(face, new Agent({ model: service.model() }), "Hi.");
    seen.saw("run-start turn-start text-delta discard text-delta response turn-end run-end");
    expect(seen.result).toMatchObject({ stopReason: "finished", text: "Two." });
    expect(service.bodies).toHaveLength(2);
    expect(service.bodies[1]).toBe(service.bodies[0]);

    await using broken = await openRawService(cut);
    const failed = await watch(face, new Agent({ model: broken.model() }), "Hi.");
    failed.saw("run-start turn-start text-delta discard text-delta discard text-delta");
    expect(failed.error).toMatchObject({ code: "api_network", retryable: true });
    expect(broken.bodies).toHaveLength(3);
    expectInterrupted(failed, 'user: "Hi."', "One ");
  });

  test.each<[string, object, number]>([
    ["RESOURCE_EXHAUSTED", { status: "RESOURCE_EXHAUSTED" }, 429],
    ["CANCELLED", { status: "CANCELLED" }, 499],
    ["INTERNAL", { status: "INTERNAL" }, 500],
    ["UNAVAILABLE", { status: "UNAVAILABLE" }, 503],
    ["DEADLINE_EXCEEDED", { status: "DEADLINE_EXCEEDED" }, 504],
  ])("an error in the stream that names %s and no number gets its status from the word", async (word, said, status) => {
    const error = { error: { message: "It broke.", ...said } };
    await using service = await openRawService({ body: eventStream(chunk([{ text: "One " }]), error) });
    const seen = await watch(face, new Agent({ model: service.model(), limits: { restarts: 0 } }), "Hi.");
    expect(seen.error).toBeInstanceOf(ApiStatusError);
    expect(seen.error).toMatchObject({ status, reason: word, retryable: true });
    expect(service.bodies).toHaveLength(1);
    seen.saw("run-start turn-start text-delta");
  });

  test("an error in the stream that waiting cannot mend ends the run at once", async () => {
    const error = {
      error: { code: 400, message: "Request contains an invalid argument.", status: "INVALID_ARGUMENT" },
    };
    await using service = await openRawService({ body: eventStream(chunk([{ text: "One " }]), error) });
    const seen = await watch(face, new Agent({ model: service.model() }), "Hi.");
    expect(seen.error).toMatchObject({ code: "api_status", status: 400, retryable: false });
    expect(service.bodies).toHaveLength(1);
    expectInterrupted(seen, 'user: "Hi."', "One ");
  });

  test.each<[string, RawAnswer]>([
    ["instead of a stream", { body: JSON.stringify(OVERLOADED, null, 2), type: "application/json" }],
    ["instead of a stream, in a list", { body: JSON.stringify([OVERLOADED], null, 2), type: "application/json" }],
    ["after chunks", { body: `${eventStream(chunk([{ text: "One " }]))}${JSON.stringify(OVERLOADED, null, 2)}` }],
    [
      "after chunks, in a list",
      { body: `${eventStream(chunk([{ text: "One " }]))}${JSON.stringify([OVERLOADED], null, 2)}\n` },
    ],
  ])("200 with the plain JSON of an error %s is that error", async (_where, raw) => {
    await using service = await openRawService(raw, answer({ text: "Hello." }));
    const seen = await watch(face, new Agent({ model: service.model() }), "Hi.");
    expect(seen.result).toMatchObject({ stopReason: "finished", text: "Hello." });
    expect(service.bodies).toHaveLength(2);
    expect(service.bodies[1]).toBe(service.bodies[0]);
    expect(sketch(seen.contents)).toEqual(['user: "Hi."', 'model: "Hello."']);
  });

  test.each(["\r\n,\r\n", ",\n"])("a list of chunks instead of events is read (%j between them)", async (between) => {
    const chunks = [chunk([{ text: "Hel" }]), chunk([{ text: "lo." }], "STOP")].map((one) => JSON.stringify(one));
    await using service = await openRawService({ body: `[${chunks.join(between)}]`, type: "application/json" });
    const seen = await watch(face, new Agent({ model: service.model() }), "Hi.");
    seen.saw("run-start turn-start text-delta response turn-end run-end");
    expect(seen.result).toMatchObject({ stopReason: "finished", text: "Hello." });
    expect(service.bodies).toHaveLength(1);
  });

  test("a chunk arrives byte by byte, with comments of a proxy and its [DONE]", async () => {
    const body = `: keep-alive\n\n${eventStream(chunk([{ text: "Æther " }]), chunk([{ text: "🎉" }], "STOP"))}data: [DONE]\n\n`;
    const bytes = new TextEncoder().encode(body);
    await using service = await openRawService(async (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const byte of bytes) {
        response.write(Uint8Array.of(byte));
        if (byte === 0x0d || byte > 0x7f) await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    });
    const seen = await watch(face, new Agent({ model: service.model() }), "Hi.");
    seen.saw("run-start turn-start text-delta response turn-end run-end");
    expect(seen.result).toMatchObject({ stopReason: "finished", text: "Æther 🎉" });
  });

  describe("silence", () => {
    const limits = { firstByteMs: SILENCE_MS, idleMs: SILENCE_MS, totalMs: Number.POSITIVE_INFINITY };
    const ms = Number.POSITIVE_INFINITY;

    test.each<[string, Fault, string]>([
      ["before the first byte", faults.slowFirstByte({ ms }), "first-byte"],
      ["between two chunks", faults.stall({ ms }), "idle"],
    ])("%s: the request is given up and sent again; always: the run fails", async (_where, fault, kind) => {
      await using world = await openWorld({ brain: byStep(() => say(LONG)), faults: [{ at: 1, fault }] });
      const model = world.model(undefined, { timeouts: limits });
      const seen = await watch(face, new Agent({ model }), "Count.", { takeSilence: world.takeSilence });
      expect(seen.result).toMatchObject({ stopReason: "finished", text: LONG });
      expect(world.bodies).toHaveLength(2);
      expect(world.bodies[1]).toBe(world.bodies[0]);

      await using silent = await openWorld({ brain: byStep(() => say(LONG)), faults: [{ at: () => true, fault }] });
      const retry = { maxAttempts: 2, minDelayMs: 1, maxDelayMs: 1 };
      const agent = new Agent({ model: silent.model(undefined, { timeouts: limits, retry }), limits: { restarts: 1 } });
      const failed = await watch(face, agent, "Count.", { takeSilence: silent.takeSilence });
      expect(failed.error).toBeInstanceOf(ApiTimeoutError);
      expect(failed.error).toMatchObject({ code: "api_timeout", kind });
      expect(silent.bodies).toHaveLength(2);
      expectInterrupted(failed, 'user: "Count."', LONG, kind !== "first-byte");
    });
  });

  test("a stream breaks in the middle of calls: none of them is run", async () => {
    let runs = 0;
    const counted = { ...add, run: (...given: Parameters<typeof add.run>) => (runs++, add.run(...given)) };
    const call = { functionCall: { name: "add", args: { a: 1, b: 2 }, id: "c1" }, thoughtSignature: "c2ln" };
    await using service = await openRawService(
      { body: eventStream(chunk([call])) },
      { body: eventStream(chunk([call], "STOP")) },
      answer({ text: "3" }),
    );
    const seen = await watch(face, new Agent({ model: service.model(), tools: [counted] }), "Add.");
    seen.saw(`run-start turn-start part discard part response tool-start tool-end turn-end
      turn-start text-delta response turn-end run-end`);
    expect(runs).toBe(1);
    expect(sketch(seen.contents)).toEqual([
      'user: "Add."',
      'model: add({"a":1,"b":2})*',
      'user: add <- {"output":3}',
      'model: "3"',
    ]);
  });

  test("several calls, one to a chunk, and text after them, are one turn", async () => {
    const parts = ["a", "b"].map((id) => ({ functionCall: { name: "add", args: { a: 1, b: 2 }, id } }));
    await using service = await openRawService(
      {
        body: eventStream(
          ...parts.map((part) => chunk([part])),
          chunk([{ text: "", thoughtSignature: "c2ln" }], "STOP"),
        ),
      },
      answer({ text: "6" }),
    );
    const seen = await watch(face, new Agent({ model: service.model(), tools: [add] }), "Add.");
    expect(sketch(seen.contents)).toEqual([
      'user: "Add."',
      'model: add({"a":1,"b":2}) add({"a":1,"b":2}) ""*',
      'user: add <- {"output":3} add <- {"output":3}',
      'model: "6"',
    ]);
    expect(service.bodies).toHaveLength(2);
  });

  test("a chunk without candidates, and one without content, change nothing", async () => {
    const usage = { usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 3, totalTokenCount: 12 } };
    const end = { candidates: [{ index: 0, finishReason: "STOP", content: { role: "model" } }], ...usage };
    await using service = await openRawService({ body: eventStream(usage, chunk([{ text: "Hi." }]), end, usage) });
    const seen = await watch(face, new Agent({ model: service.model() }), "Hi.");
    expect(seen.result).toMatchObject({ stopReason: "finished", text: "Hi.", usage: { totalTokens: 12 } });
    expect(sketch(seen.contents)).toEqual(['user: "Hi."', 'model: "Hi."']);
  });
});

test("a reader who left a stream in its middle leaves no request behind, and a history to continue", async () => {
  await using world = await openWorld({ brain: trip(), delays: { chunkMs: 5 } });
  const running = new Agent({ model: world.model(), tools: TOOLS }).stream("Weather?");
  for await (const event of running) if (event.type === "text-delta") break;
  const error = await running.result().catch((reason: unknown) => reason);
  expect(sketch(runSoFar(error)?.contents ?? [])).toEqual(['user: "Weather?"', expect.stringMatching(/^model: "/)]);
  expect(sketches(world)).toEqual([['user: "Weather?"']]);
  expect(error).not.toBeInstanceOf(StreamIncompleteError);
});

/** The final text of a reader that drops void text. */
function shown(events: readonly RunEvent[]): string {
  let read = "";
  for (const event of events) {
    if (event.type === "discard") read = "";
    if (event.type === "text-delta") read += event.delta;
  }
  return read;
}
