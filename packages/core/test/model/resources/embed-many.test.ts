import { ApiStatusError, geminiApi, Traffic, vertex } from "@pollux/core";
import { ApiNetworkError, ApiShapeError, ApiTimeoutError, TrafficLimitError } from "@pollux/core/errors";
import { embed, embeddedSoFar, embedMany } from "@pollux/core/resources";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inMadeUpTime, SILENCE_MS } from "../../../../../test/support/made-up-time.ts";
import { deferred } from "../../helpers/deferred.ts";
import {
  answerTo,
  embeddingService,
  type Misbehavior,
  refusal,
  reply,
  textsOf,
  vectorOf,
} from "../../helpers/embedding-service.ts";

const MODEL = "gemini-embedding-2";
const RETRY = { minDelayMs: 1, maxDelayMs: 1 };
const ENDPOINT = geminiApi({ apiKey: "key" });
const texts = (count: number): string[] => Array.from({ length: count }, (_, index) => `t${index}`);

/** A `fetch` that answers after a few turns of the microtask queue. */
function delayed(
  turns: (number: number) => number,
  onRequest: (number: number) => Response | undefined = () => undefined,
) {
  const sizes: number[] = [];
  const state = { active: 0, most: 0 };
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const body = await new Response(init.body ?? "").text();
    const sent = textsOf(body);
    const number = sizes.push(sent.length);
    state.most = Math.max(state.most, ++state.active);
    for (let turn = turns(number); turn > 0; turn--) await Promise.resolve();
    state.active--;
    return onRequest(number) ?? Response.json(answerTo({ target: url, texts: sent }));
  };
  return { fetch, sizes, state };
}

test("batches hold at most 100 inputs, and no more requests than allowed are in flight", async () => {
  const { fetch, sizes, state } = delayed(() => 20);
  const { embeddings, usage } = await embedMany(texts(750), {
    model: MODEL,
    endpoint: ENDPOINT,
    fetch,
    maxConcurrent: 3,
  });
  expect(sizes).toEqual([100, 100, 100, 100, 100, 100, 100, 50]);
  expect(state.most).toBe(3);
  expect(embeddings).toEqual(texts(750).map(vectorOf));
  expect(usage).toMatchObject({ requests: 8, inputTokens: 1500 });
});

test("four requests are in flight by default", async () => {
  const { fetch, state } = delayed(() => 20);
  await embedMany(texts(1000), { model: MODEL, endpoint: ENDPOINT, fetch });
  expect(state.most).toBe(4);
});

test.each([
  ["a batch ends before a million characters", ENDPOINT, MODEL, 600_000, [1, 1, 1]],
  ["an input that is larger travels alone", ENDPOINT, MODEL, 2_000_000, [1, 1, 1]],
  ["a prediction ends before 20,000 characters", vertex({ apiKey: "key" }), "text-embedding-005", 8_000, [2, 1]],
])("%s", async (_, endpoint, model, length, expected) => {
  const { fetch, sizes } = delayed(() => 1);
  const inputs = texts(3).map((text) => " ".repeat(length) + text);
  const { embeddings } = await embedMany(inputs, { model, endpoint, fetch });
  expect(sizes).toEqual(expected);
  expect(embeddings).toEqual(texts(3).map(vectorOf));
});

test("any number of inputs, in any order of answers and with any failures, keeps what was embedded in its place", async () => {
  const property = fc.asyncProperty(
    fc.integer({ min: 1, max: 650 }),
    fc.integer({ min: 1, max: 8 }),
    fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 7, maxLength: 7 }),
    fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { maxLength: 3 }),
    async (count, maxConcurrent, turns, failing) => {
      const refused: number[] = [];
      const { fetch, sizes } = delayed(
        (number) => turns[number - 1] ?? 0,
        (number) => {
          if (!failing.includes(number)) return undefined;
          refused.push(number);
          return Response.json(refusal(400, "INVALID_ARGUMENT"), { status: 400 });
        },
      );
      const inputs = texts(count);
      const work = embedMany(inputs, { model: MODEL, endpoint: ENDPOINT, fetch, maxConcurrent });
      const outcome = await work.then(
        (result) => ({ ...result, error: undefined }),
        (error: unknown) => ({ ...embeddedSoFar(error), error }),
      );
      const answered = (index: number): boolean => {
        const request = Math.floor(index / 100) + 1;
        return request <= sizes.length && !refused.includes(request);
      };
      expect(outcome.error instanceof ApiStatusError).toBe(refused.length > 0);
      expect(outcome.embeddings).toEqual(inputs.map((text, index) => (answered(index) ? vectorOf(text) : undefined)));
      expect(outcome.usage?.requests).toBe(sizes.length - refused.length);
      if (refused.length === 0) expect(sizes).toHaveLength(Math.ceil(count / 100));
    },
  );
  await fc.assert(property, { numRuns: 60 });
});

describe("over a socket", () => {
  test("temporary failures are retried", async () => {
    const failures: readonly Misbehavior[] = [
      (response) => reply(response, 503, refusal(503, "UNAVAILABLE")),
      (response) => reply(response, 429, refusal(429, "RESOURCE_EXHAUSTED")),
      (response) => response.destroy(),
    ];
    await using service = await embeddingService((response, number, seen) =>
      failures[number - 1]?.(response, number, seen),
    );
    const options = { model: MODEL, endpoint: service.endpoint, retry: RETRY };
    expect((await embedMany(texts(3), options)).embeddings).toEqual(texts(3).map(vectorOf));
    expect(service.requests).toHaveLength(4);
  });

  const cut =
    (body: string): Misbehavior =>
    (response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": body.length + 10 });
      response.write(body, () => response.destroy());
      return true;
    };
  const answer =
    (body: object): Misbehavior =>
    (response) =>
      reply(response, 200, body);
  const html: Misbehavior = (response) => {
    response.writeHead(502, { "content-type": "text/html" });
    return response.end("<h1>Bad gateway</h1>");
  };

  test.each<[string, Misbehavior, new (...args: never[]) => Error, object]>([
    [
      "a rejection",
      (response) => reply(response, 400, refusal(400, "INVALID_ARGUMENT")),
      ApiStatusError,
      { status: 400 },
    ],
    ["an error with a good status", answer(refusal(503, "UNAVAILABLE")), ApiStatusError, { status: 503 }],
    ["a gateway's page", html, ApiStatusError, { status: 502 }],
    ["a cut answer", cut('{"embeddings":[{"values":[1'), ApiNetworkError, {}],
    ["an answer that never begins", cut(""), ApiNetworkError, {}],
    [
      "an answer without vectors",
      answer({}),
      ApiShapeError,
      { message: "The response has 0 embeddings for 100 inputs." },
    ],
    ["one vector for all inputs", answer({ embeddings: [{ values: [1] }] }), ApiShapeError, {}],
    [
      "a vector without values",
      answer({ embeddings: texts(100).map(() => ({ values: [] })) }),
      ApiShapeError,
      { path: "$.embeddings[0].values", excerpt: '{"values":[]}' },
    ],
    [
      "values that are no numbers",
      answer({ embeddings: texts(100).map(() => ({ values: ["1"] })) }),
      ApiShapeError,
      {},
    ],
    ["null in place of the vectors", answer({ embeddings: null }), ApiShapeError, {}],
    ["null in place of a vector", answer({ embeddings: texts(100).map(() => null) }), ApiShapeError, {}],
    ["no answer", () => true, ApiTimeoutError, { kind: "first-byte" }],
  ])("%s is a typed error that keeps what was embedded", async (what, misbehave, type, facts) => {
    let isSilent = false;
    await using service = await embeddingService((response, number, seen) => {
      if (seen.texts[0] !== "t200") return undefined;
      isSilent = what === "no answer";
      return misbehave(response, number, seen);
    });
    const takeSilence = (): boolean => {
      const was = isSilent;
      isSilent = false;
      return was;
    };
    const error: unknown = await inMadeUpTime(takeSilence, () =>
      embedMany(texts(300), {
        model: MODEL,
        endpoint: service.endpoint,
        retry: { ...RETRY, maxAttempts: 2 },
        timeouts: { firstByteMs: SILENCE_MS, totalMs: Infinity },
        maxConcurrent: 1,
      }).catch((reason: unknown) => reason),
    );
    expect(error).toBeInstanceOf(type);
    expect(error).toMatchObject(facts);
    expect(embeddedSoFar(error)).toMatchObject({
      embeddings: [...texts(200).map(vectorOf), ...texts(100).map(() => undefined)],
      usage: { requests: 2, inputTokens: 400 },
    });
    expect(JSON.stringify(error)).not.toContain("[199,1]");
  });

  test("after a failure no further request is sent, and those in flight are kept", async () => {
    const failed = deferred();
    await using service = await embeddingService((response, _number, seen) => {
      if (seen.texts[0] === "t0") {
        void failed.promise.then(() => reply(response, 200, answerTo(seen)));
        return true;
      }
      response.once("close", () => failed.resolve());
      return reply(response, 400, refusal(400, "INVALID_ARGUMENT"));
    });
    const options = { model: MODEL, endpoint: service.endpoint, maxConcurrent: 2 };
    const error: unknown = await embedMany(texts(500), options).catch((reason: unknown) => reason);
    expect(service.requests).toHaveLength(2);
    expect(embeddedSoFar(error)?.embeddings.filter((vector) => vector !== undefined)).toHaveLength(100);
  });

  test("an abort ends all requests with its own reason, which keeps what was embedded", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    await using service = await embeddingService((_response, number) => {
      if (number === 1) return undefined;
      // The fifth is only sent once the first is answered and read.
      if (number === 5) controller.abort(reason);
      return true;
    });
    const options = { model: MODEL, endpoint: service.endpoint, signal: controller.signal };
    await expect(embedMany(texts(500), options)).rejects.toBe(reason);
    expect(embeddedSoFar(reason)?.embeddings.filter((vector) => vector !== undefined)).toHaveLength(100);
    await expect(embed("t1", options)).rejects.toBe(reason);
    await expect(embedMany([], options)).rejects.toBe(reason);
  });
});

test("the limits of a shared Traffic apply", async () => {
  const { fetch, state } = delayed(() => 20);
  const options = { model: MODEL, endpoint: ENDPOINT, fetch, maxConcurrent: 8 };
  await embedMany(texts(800), { ...options, traffic: new Traffic({ maxConcurrent: 2 }) });
  expect(state.most).toBe(2);
  const full = embedMany(texts(800), { ...options, traffic: new Traffic({ maxConcurrent: 1, maxQueued: 1 }) });
  await expect(full).rejects.toThrow(TrafficLimitError);
});

test("two calls take turns in the queue of a shared Traffic", async () => {
  const { fetch, sizes } = delayed(() => 5);
  const traffic = new Traffic({ maxConcurrent: 1 });
  const options = { model: MODEL, endpoint: ENDPOINT, fetch, traffic, maxConcurrent: 8 };
  await Promise.all([embedMany(texts(800), options), embedMany(texts(3), options)]);
  expect(sizes.indexOf(3)).toBeLessThanOrEqual(2);
  expect(sizes).toHaveLength(9);
});

test("errors of anything else have no embeddings", () => {
  expect([new Error("no"), "no", null, undefined].map(embeddedSoFar)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
