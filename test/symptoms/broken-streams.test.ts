import { Agent, ApiStatusError, endpoint, gemini, runSoFar } from "@pollux/core";
import { NO_USAGE } from "@pollux/core/model";
import { faults, say } from "@pollux/emulator";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { faces } from "../../packages/core/test/helpers/faces.ts";
import { TRANSPORTS } from "../../packages/core/test/helpers/transports.ts";
import { answer, chunk, eventStream, openRawService, type RawAnswer } from "../support/raw-service.ts";
import { add, byStep } from "../support/trip.ts";
import { watch } from "../support/watch.ts";
import { MODEL, openWorld } from "../support/world.ts";

const OVERLOADED = { error: { code: 503, message: "The model is overloaded. Try later.", status: "UNAVAILABLE" } };
const REFUSED = { error: { code: 400, message: "Request contains an invalid argument.", status: "INVALID_ARGUMENT" } };
const FACTS = { code: "api_status", status: 503, reason: "UNAVAILABLE", retryable: true };
const DONE = "data: [DONE]";
const COMMENT = ": bye";

/** Chunks, then an error on its own lines, then a proxy's addition. */
function brokenBody(chunks: readonly object[], eol: string, trailer: string, isPretty: boolean): string {
  const events = chunks.map((one) => `data: ${JSON.stringify(one)}${eol}${eol}`).join("");
  const error = JSON.stringify(OVERLOADED, null, isPretty ? 2 : 0).replaceAll("\n", eol);
  return `${events}${error}${eol}${trailer === "" ? "" : `${eol}${trailer}${eol}${eol}`}`;
}

describe.each(faces)("%s", (face) => {
  describe.each(TRANSPORTS)("%s", (_name, fetch) => {
    test.each([0, 1, 3])("a bare error after %i chunks of the emulator's is that error", async (afterChunks) => {
      for (const trailer of [undefined, DONE, COMMENT]) {
        for (const lf of [false, true]) {
          const fault = faults.errorInStream({ bare: true, afterChunks, trailer });
          const brain = byStep(() => say("One ", "two ", "three ", "four."));
          const framing = { lf, splitBytes: true };
          await using world = await openWorld({ brain, framing, faults: [{ at: () => true, fault }] });
          const model = world.model(undefined, { fetch, retry: { maxAttempts: 1 } });
          const seen = await watch(face, new Agent({ model, limits: { restarts: 0 } }), "Count.");
          expect(seen.error).toBeInstanceOf(ApiStatusError);
          expect(seen.error).toMatchObject(FACTS);
          expect(runSoFar(seen.error)?.usage.requests).toBe(1);
        }
      }
    });

    test("a bare error after chunks that all say STOP is no success", async () => {
      const chunks = [chunk([{ text: "One " }], "STOP"), chunk([{ text: "two." }], "STOP")];
      await using service = await openRawService({ body: brokenBody(chunks, "\r\n", DONE, true) });
      const model = service.model(undefined, { fetch });
      const seen = await watch(face, new Agent({ model, limits: { restarts: 0 } }), "Count.");
      expect(seen.error).toMatchObject(FACTS);
    });
  });

  test("a bare error is that error wherever its bytes are cut", async () => {
    const bodies = ["\n", "\r\n"].flatMap((eol) =>
      ["", DONE, COMMENT].flatMap((trailer) =>
        [0, 1, 2].map((count) => {
          const chunks = ["é", "漢"].slice(0, count).map((text) => chunk([{ text }], "STOP"));
          return new TextEncoder().encode(brokenBody(chunks, eol, trailer, count === 1));
        }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...bodies), fc.array(fc.nat(700), { maxLength: 4 }), async (body, cuts) => {
        expect(await errorOf(face, body, cuts)).toMatchObject(FACTS);
      }),
    );
    const [body = new Uint8Array()] = bodies.slice(4);
    for (let cut = 0; cut <= body.length; cut++) expect(await errorOf(face, body, [cut])).toMatchObject(FACTS);
    expect(await errorOf(face, body, [...body.keys()])).toMatchObject(FACTS);
  });

  const part = chunk([{ text: "One " }]);
  const broken: RawAnswer = { body: eventStream(part) };
  const overloaded: RawAnswer = { status: 503, body: JSON.stringify(OVERLOADED) };
  const tooMuchThinking: RawAnswer = {
    status: 400,
    body: JSON.stringify({
      error: { code: 400, status: "INVALID_ARGUMENT", message: "Thinking level LOW is not supported for this model." },
    }),
  };
  const hop = (continuationToken: string): RawAnswer => ({
    body: eventStream({
      candidates: [
        { content: { role: "model", parts: [{ text: "One " }] }, finishReason: "CONTINUATION", continuationToken },
      ],
      usageMetadata: { promptTokenCount: 4, candidatesTokenCount: 2, totalTokenCount: 6 },
    }),
  });
  const call = answer({ functionCall: { name: "add", args: { a: 1, b: 2 }, id: "1" } });
  const errorAfter: RawAnswer = { body: eventStream(part, REFUSED) };

  test.each<[string, readonly RawAnswer[], number, object]>([
    ["a stream that breaks", [broken], 0, { requests: 1, inputTokens: 4, outputTokens: 2, contextTokens: 4 }],
    ["a stream that breaks again and again", [broken], 2, { requests: 3, inputTokens: 12, outputTokens: 6 }],
    ["one that breaks after retries", [overloaded, overloaded, broken], 0, { requests: 3, inputTokens: 4 }],
    ["one that breaks after a heal", [tooMuchThinking, broken], 0, { requests: 2, inputTokens: 4 }],
    ["an error in the middle", [errorAfter], 2, { requests: 1, inputTokens: 4, outputTokens: 2 }],
    ["a continued answer", [hop("1"), hop("2"), errorAfter], 0, { requests: 3, inputTokens: 12, outputTokens: 6 }],
    ["a later turn", [call, broken], 0, { requests: 2, inputTokens: 8, outputTokens: 4, contextTokens: 4 }],
    ["a later turn, again", [call, overloaded, broken], 1, { requests: 4, inputTokens: 12, outputTokens: 6 }],
  ])(
    "%s: the error has the counters that came and the requests that were sent",
    async (_what, answers, maxRestarts, usage) => {
      await using service = await openRawService(...answers);
      const prices = { input: 1_000_000, output: 0 };
      const agent = new Agent({
        model: service.model(),
        tools: [add],
        limits: { restarts: maxRestarts },
        prices,
        settings: { thinking: "low" },
      });
      const seen = await watch(face, agent, "Count.");
      const soFar = runSoFar(seen.error);
      expect(soFar?.usage).toMatchObject({ ...usage, incomplete: true });
      expect(soFar?.usage.requests).toBe(service.bodies.length);
      expect(soFar?.cost).toBe(soFar?.usage.inputTokens);
    },
  );

  test("a refusal used nothing", async () => {
    await using service = await openRawService({ status: 400, body: JSON.stringify(REFUSED) });
    const seen = await watch(face, new Agent({ model: service.model() }), "Hi.");
    expect(runSoFar(seen.error)?.usage).toEqual(NO_USAGE);
  });

  test("an abort keeps the counters that came", async () => {
    const controller = new AbortController();
    await using service = await openRawService(async (response, isRead) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(eventStream(part));
      await isRead();
      controller.abort(new Error("enough"));
    });
    const seen = await watch(face, new Agent({ model: service.model() }), "Hi.", { signal: controller.signal });
    expect(seen.error).toMatchObject({ message: "enough" });
    expect(runSoFar(seen.error)?.usage).toMatchObject({ requests: 1, inputTokens: 4, incomplete: true });
  });
});

async function errorOf(face: string, body: Uint8Array, cuts: readonly number[]): Promise<unknown> {
  const ends = [...new Set(cuts.map((cut) => Math.min(cut, body.length))), body.length].toSorted((a, b) => a - b);
  const pieces = ends.map((end, index) => body.slice(ends[index - 1] ?? 0, end)).filter(({ length }) => length > 0);
  const model = gemini(MODEL, {
    endpoint: endpoint({ baseUrl: "http://127.0.0.1:1", apiKey: "none" }),
    fetch: () => Promise.resolve(new Response(streamOf(pieces), { status: 200 })),
    retry: { maxAttempts: 1 },
  });
  return (await watch(face, new Agent({ model, limits: { restarts: 0 } }), "Count.")).error;
}

function streamOf(pieces: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
}
