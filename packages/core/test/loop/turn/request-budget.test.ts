import { readFileSync } from "node:fs";
import { Agent, endpoint, gemini, type PriceTable, type RunResult, runSoFar } from "@pollux/core";
import { RequestLimitError, StreamIncompleteError } from "@pollux/core/errors";
import { describe, expect, test } from "vitest";
import { MAX_RECOVERIES } from "../../../src/loop/turn/classify-answer.ts";
import { HEALS } from "../../../src/model/heal/heal.ts";
import { MAX_REQUESTS } from "../../../src/model/response/continuation.ts";
import { DEFAULT_RETRY } from "../../../src/wire/http/retry.ts";
import { faces } from "../../helpers/faces.ts";

const chunk = (text: string, rest: object): object => ({
  candidates: [{ content: { role: "model", parts: text === "" ? [] : [{ text }] }, ...rest }],
});
const sse = (...chunks: readonly object[]): Response =>
  new Response(chunks.map((one) => `data: ${JSON.stringify(one)}\r\n\r\n`).join(""));
const error = (code: number, status: string, message: string): Response =>
  Response.json({ error: { code, status, message } }, { status: code });

/** What a service can do so that it is asked again. */
const ANSWERS: Readonly<Record<string, (request: number) => Response>> = {
  "a failure": () => error(503, "UNAVAILABLE", "The model is overloaded."),
  "a piece of a long answer": (request) =>
    sse(chunk("more ", { finishReason: "CONTINUATION", continuationToken: `token-${request}` })),
  "a refusal": () => error(400, "INVALID_ARGUMENT", "Corrupted thought signature."),
  "a stream without an end": () => sse(chunk("half", {})),
  "an empty answer": () => sse(chunk("", { finishReason: "STOP" })),
};

function failingAgent(
  answer: (request: number) => Response,
  options: {
    readonly requestsPerTurn?: number;
    readonly restarts?: number;
    readonly maxAttempts?: number;
    readonly prices?: PriceTable;
  } = {},
): { readonly agent: Agent; requests: number } {
  const { maxAttempts = 4, prices, ...limits } = options;
  const service = { requests: 0 };
  const model = gemini("gemini-3-flash-preview", {
    endpoint: endpoint({ baseUrl: "http://service.local", apiKey: "key" }),
    fetch: async () => answer(++service.requests),
    retry: { maxAttempts, minDelayMs: 0.001, maxDelayMs: 0.001 },
  });
  return Object.assign(service, { agent: new Agent({ model, limits, prices }) });
}

test("the guide says what asks again, how often each may, and what they would come to", () => {
  const guide = readFileSync(new URL("../../../../../docs/guides/cost.md", import.meta.url), "utf8");
  const table = guide.slice(guide.indexOf("### What is asked again"));
  const atMost = (row: string): number =>
    Number(new RegExp(`^\\| \\*{0,2}${row}[^|]*\\|[^|]*\\| *([\\d,]+)`, "m").exec(table)?.[1]?.replaceAll(",", ""));
  // A truncated call is answered with an error, and asked again in another turn.
  const { "truncated-call": _truncated, ...inTurn } = MAX_RECOVERIES;
  const bounds = {
    "an answer that cannot be used": 1 + Object.values(inTurn).reduce((sum, times) => sum + times, 0),
    "a stream that broke": 1 + 2,
    "a request that was refused": 1 + HEALS.length,
    "a long answer": MAX_REQUESTS,
    "a request that failed": DEFAULT_RETRY.maxAttempts,
  };
  expect(Object.fromEntries(Object.keys(bounds).map((row) => [row, atMost(row)]))).toEqual(bounds);
  expect(atMost("all of them, without a budget")).toBe(Object.values(bounds).reduce((product, one) => product * one));
  expect(atMost("all of them, in one turn")).toBe(100);
});

describe.each(faces)("%s", (_face, read) => {
  test.each([
    ["a failure", 3, 3],
    ["a piece of a long answer", 5, 5],
    ["a stream without an end", 2, 2],
    // Asked once more as it is, and not any more.
    ["a refusal", 1, 1],
  ])("of %s no more than the budget is asked for, and the error says so", async (kind, requestsPerTurn, requests) => {
    const service = failingAgent(ANSWERS[kind]!, { requestsPerTurn, restarts: 30, maxAttempts: 30 });
    const failure: unknown = await read(service.agent, "Go.").catch((reason: unknown) => reason);
    expect(service.requests).toBe(requests);
    expect(failure).toBeInstanceOf(RequestLimitError);
    expect(failure).toMatchObject({ code: "request_limit", retryable: false, limit: requestsPerTurn });
  });

  test("the error's cause is why it was asked again", async () => {
    const { agent } = failingAgent(ANSWERS["a failure"]!, { requestsPerTurn: 2 });
    await expect(read(agent, "Go.")).rejects.toMatchObject({ cause: { code: "api_status", status: 503 } });
  });

  test("an answer that cannot be used ends the run when the budget is spent", async () => {
    const service = failingAgent(ANSWERS["an empty answer"]!, { requestsPerTurn: 2 });
    const result: RunResult = await read(service.agent, "Go.");
    expect(service.requests).toBe(2);
    expect(result.stopReason).toBe("empty");
  });

  test("a service that goes on failing in several ways is sent a hundred requests", async () => {
    const kinds = Object.values(ANSWERS);
    let seed = 1;
    const service = failingAgent(
      (request) => {
        // Failures and pieces of a long answer, in an order that ends neither.
        seed = (seed * 16_807) % 2_147_483_647;
        return kinds[seed % 2 === 0 ? 1 : 0]!(request);
      },
      { restarts: 1000, maxAttempts: 1000 },
    );
    await expect(read(service.agent, "Go.")).rejects.toBeInstanceOf(RequestLimitError);
    expect(service.requests).toBe(100);
  });

  test("prices that throw do not hide why a run failed, nor what it had done", async () => {
    const prices = (): never => {
      throw new Error("no such price");
    };
    const { agent } = failingAgent(ANSWERS["a stream without an end"]!, { restarts: 0, prices });
    const failure: unknown = await read(agent, "Go.").catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(StreamIncompleteError);
    expect(runSoFar(failure)).toMatchObject({ turns: 1, usage: { requests: 1, incomplete: true } });
  });

  test("each turn has a budget of its own", async () => {
    const service = failingAgent(
      (request) =>
        request % 2 === 1
          ? ANSWERS["a failure"]!(request)
          : sse(
              request < 8
                ? {
                    candidates: [
                      { content: { role: "model", parts: [{ functionCall: { name: "nothing", args: { request } } }] } },
                    ],
                  }
                : chunk("Done.", {}),
              chunk("", { finishReason: "STOP" }),
            ),
      { requestsPerTurn: 2 },
    );
    const result = await read(service.agent, "Go.");
    expect({ stopReason: result.stopReason, requests: service.requests }).toEqual({
      stopReason: "finished",
      requests: 8,
    });
  });
});
