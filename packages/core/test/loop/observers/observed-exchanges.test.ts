import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import {
  Agent,
  type AgentOptions,
  type Content,
  defineTool,
  endpoint,
  gemini,
  type GeminiOptions,
  googleSearch,
  type Logger,
  type LogMethod,
  type Model,
} from "@pollux/core";
import type { ObservedExchange, Observer } from "@pollux/core/observers";
import { say, ScriptedModel } from "@pollux/core/testing";
import { describe, expect, test, vi } from "vitest";
import { faces } from "../../helpers/faces.ts";
import { EVENT, serve, type Service } from "../../helpers/node-service.ts";
import { stopClock } from "../../helpers/stop-clock.ts";
import { TRANSPORTS } from "../../helpers/transports.ts";
import { until } from "../../helpers/until.ts";

const KEY = "AIzaSyThisIsAKeyForTestsAndNothingElse0";

/** An observer that keeps exchanges, as text where they are bytes. */
function tap(): Observer & { readonly seen: ObservedExchange[] } {
  const seen: ObservedExchange[] = [];
  return { seen, exchange: (exchange) => void seen.push(exchange) };
}

const textOf = ({ body }: ObservedExchange): string => new TextDecoder().decode(body);
const answerOf = ({ chunks }: ObservedExchange): string => chunks.map(({ text }) => text).join("");

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

const stream = (...pieces: readonly string[]): Answer => {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream", "x-request": "7" });
    response.end(pieces.join(""));
  };
};

/** Answers request by request. */
async function service(...answers: readonly Answer[]): Promise<Service> {
  let next = 0;
  return await serve((request, response) => answers[next++]?.(response, request));
}

function agentOf(port: number, options: GeminiOptions, more: Partial<AgentOptions> = {}) {
  const observer = tap();
  const model = gemini("gemini-2.5-flash", {
    endpoint: endpoint({ baseUrl: `http://127.0.0.1:${port}`, apiKey: KEY }),
    retry: { minDelayMs: 1, maxDelayMs: 1 },
    env: {},
    ...options,
  });
  return { agent: new Agent({ model, observers: [observer], ...more }), seen: observer.seen };
}

describe.each(TRANSPORTS)("over %s", (_transport, fetch) => {
  describe.each(faces)("%s", (_face, read) => {
    test("shows a streamed exchange as it crossed the wire", async () => {
      const { port, bodies } = await service(stream(EVENT));
      const { agent, seen } = agentOf(port, { fetch });
      await read(agent, "Grüße 漢字", { runId: "r" });
      const [one] = seen;
      if (one === undefined) throw new Error("nothing was seen");
      expect(textOf(one)).toBe(bodies[0]);
      expect(answerOf(one)).toBe(EVENT);
      const number = expect.any(Number) as number;
      expect({ ...one, body: undefined, chunks: undefined, responseHeaders: undefined }).toEqual({
        run: expect.objectContaining({ runId: "r" }) as unknown,
        step: expect.objectContaining({ name: "model:1", kind: "model" }) as unknown,
        operation: "streamGenerateContent",
        attempt: 1,
        startedAt: number,
        endedAt: number,
        method: "POST",
        url: `http://127.0.0.1:${port}/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse`,
        requestHeaders: {
          "content-type": "application/json",
          "x-goog-api-key": "[redacted]",
          "x-server-timeout": "1200",
        },
        status: 200,
        ended: "complete",
      });
      expect(one.responseHeaders).toMatchObject({ "content-type": "text/event-stream", "x-request": "7" });
    });

    test("shows a compressed answer decompressed, and one that came whole", async () => {
      const { port } = await service((response) => {
        response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
        response.end(gzipSync(EVENT.slice("data: ".length)));
      });
      const { agent, seen } = agentOf(port, { fetch, transport: "unary" });
      await read(agent, "Hi");
      expect(seen.map((one) => [one.operation, answerOf(one), one.ended])).toEqual([
        ["generateContent", EVENT.slice("data: ".length), "complete"],
      ]);
    });

    test("shows each attempt with what the service said", async () => {
      const busy = JSON.stringify({ error: { code: 503, message: "Busy.", status: "UNAVAILABLE" } });
      const { port, bodies } = await service((response) => response.writeHead(503).end(busy), stream(EVENT));
      const { agent, seen } = agentOf(port, { fetch });
      await read(agent, "Hi");
      expect(seen.map((one) => [one.attempt, one.status, one.ended, answerOf(one), one.error?.name])).toEqual([
        [1, 503, "complete", busy, "ApiStatusError"],
        [2, 200, "complete", EVENT, undefined],
      ]);
      expect(seen.map(textOf)).toEqual(bodies);
    });

    test("shows an answer that broke off, as far as it came, and the request that starts it again", async () => {
      const half = EVENT.replace('"finishReason":"STOP"', '"index":0');
      const { port } = await service((response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(half, () => response.destroy());
      }, stream(EVENT));
      const { agent, seen } = agentOf(port, { fetch });
      await read(agent, "Hi");
      expect(seen.map((one) => [one.step.name, one.ended, answerOf(one), one.error?.code])).toEqual([
        ["model:1", "failed", half, "api_network"],
        ["model:1", "complete", EVENT, undefined],
      ]);
    });

    test("shows a request without an answer", async () => {
      const { port } = await service((response) => response.destroy());
      const { agent, seen } = agentOf(port, { fetch, retry: { maxAttempts: 1 } });
      await expect(read(agent, "Hi")).rejects.toMatchObject({ code: "api_network" });
      expect(seen).toMatchObject([{ ended: "failed", chunks: [], error: { code: "api_network" } }]);
      expect(seen[0]).not.toHaveProperty("status");
      expect(seen[0]).not.toHaveProperty("responseHeaders");
    });

    test("shows what a time limit ended", async () => {
      stopClock();
      const { port, bodies } = await service(() => {});
      const { agent, seen } = agentOf(port, { fetch, retry: { maxAttempts: 1 }, timeouts: { firstByteMs: 60 } });
      const failed = read(agent, "Hi").catch((error: unknown) => error);
      await until(() => bodies.length === 1);
      vi.advanceTimersByTime(60);
      expect(await failed).toMatchObject({ code: "api_timeout" });
      expect(seen).toMatchObject([{ ended: "failed", error: { code: "api_timeout" } }]);
    });

    test("shows what the caller aborted, and no secret of the reason", async () => {
      const abort = new AbortController();
      const { port } = await service((response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(EVENT.replace('"finishReason":"STOP"', '"index":0'));
        abort.abort(new Error(`enough of ${KEY}`));
      });
      const { agent, seen } = agentOf(port, { fetch });
      await expect(read(agent, "Hi", { signal: abort.signal })).rejects.toThrow("enough");
      expect(seen).toMatchObject([{ ended: "cancelled", error: { name: "Error", message: "enough of [redacted]" } }]);
    });

    test("tells when each chunk came, by a clock that can be stopped", async () => {
      stopClock();
      let goOn = (): void => {};
      const { port } = await service((response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(EVENT.replace('"finishReason":"STOP"', '"index":0'));
        goOn = () => void response.end(EVENT);
      });
      const observer = tap();
      const { seen } = observer;
      let hasBegun = false;
      const begins: Observer = { observe: ({ type }) => void (hasBegun ||= type === "first-part") };
      const { agent } = agentOf(port, { fetch }, { observers: [observer, begins] });
      const start = Date.now();
      const done = read(agent, "Hi");
      await until(() => hasBegun);
      vi.advanceTimersByTime(1234);
      goOn();
      await done;
      expect(seen.map(({ chunks }) => chunks.map(({ ms }) => ms))).toEqual([[0, 1234]]);
      expect(seen).toMatchObject([{ startedAt: start, endedAt: start + 1234 }]);
    });

    test("never shows a key, wherever it stands, and keeps all lengths of the body", async () => {
      const { port, bodies } = await service((response) => {
        response.writeHead(400, { "set-cookie": "id=secret", "x-echo": KEY });
        response.end(JSON.stringify({ error: { code: 400, message: `bad key ${KEY}`, status: "INVALID_ARGUMENT" } }));
      });
      const { agent, seen } = agentOf(port, { fetch });
      await expect(read(agent, `My key is ${KEY} "${KEY}".`)).rejects.toThrow("bad key");
      const [one] = seen;
      if (one === undefined) throw new Error("nothing was seen");
      expect(`${JSON.stringify(seen)}${textOf(one)}`).not.toContain(KEY);
      expect(one.body.length).toBe(bodies[0]?.length);
      expect(JSON.parse(textOf(one))).toMatchObject({ contents: [{ role: "user" }] });
      expect(one.responseHeaders).toMatchObject({ "set-cookie": "[redacted]", "x-echo": "[redacted]" });
      expect(answerOf(one)).toContain("bad key [redacted]");
    });

    test("shows the requests of runs inside a call as theirs", async () => {
      const call = JSON.stringify({
        candidates: [
          {
            content: { role: "model", parts: [{ functionCall: { name: "google_search", args: { query: "tide" } } }] },
            finishReason: "STOP",
          },
        ],
      });
      const { port, bodies } = await service(stream(`data: ${call}\r\n\r\n`), stream(EVENT), stream(EVENT));
      const look = defineTool({ name: "look", description: "Looks.", run: () => "seen" });
      const { agent, seen } = agentOf(port, { fetch }, { tools: [look, googleSearch()] });
      await read(agent, "Hi", { runId: "r" });
      expect(seen.map((one) => [one.run.parent?.step, one.step.name])).toEqual([
        [undefined, "model:1"],
        ["call:1.0", "model:1"],
        [undefined, "model:2"],
      ]);
      expect(seen.map(textOf)).toEqual(bodies);
    });
  });
});

describe.each(faces)("%s", (_face, read) => {
  test("an observer that fails leaves the run as it is, and is logged once", async () => {
    const { port } = await service((response) => response.writeHead(503).end(), stream(EVENT));
    const warnings: string[] = [];
    const warn: LogMethod = (_facts, message) => void warnings.push(message);
    const logger: Logger = { trace: ignore, debug: ignore, info: ignore, warn, error: ignore };
    const fails: Observer = {
      exchange: () => {
        throw new Error("broken");
      },
    };
    const other = tap();
    const { agent } = agentOf(port, {}, { observers: [fails, other], logger });
    expect((await read(agent, "Hi")).text).toBe("a");
    expect(other.seen).toHaveLength(2);
    expect(warnings.filter((message) => message.includes("observer"))).toEqual([
      "an observer failed; the run continues",
    ]);
  });

  test("shows a request that was changed, and those that continue an answer", async () => {
    const refusal = { error: { code: 400, status: "INVALID_ARGUMENT", message: "Corrupted thought signature." } };
    const piece = EVENT.replace('"STOP"', '"CONTINUATION","continuationToken":"t1"');
    const { port, bodies } = await service(
      (response) => response.writeHead(400).end(JSON.stringify(refusal)),
      stream(piece),
      stream(EVENT),
    );
    const { agent, seen } = agentOf(port, {});
    expect((await read(agent, "Hi")).text).toBe("aa");
    expect(seen.map((one) => [one.step.name, one.attempt, one.status])).toEqual([
      ["model:1", 1, 400],
      ["model:1", 1, 200],
      ["model:1", 1, 200],
    ]);
    expect(seen.map(textOf)).toEqual(bodies);
    expect(bodies[2]).toContain('"continuationToken":"t1"');
  });

  test("shows the requests for a summary as those of a run inside that step", async () => {
    const { port, bodies } = await service(stream(EVENT), stream(EVENT));
    const { agent, seen } = agentOf(port, {}, { compaction: { windowTokens: 100, threshold: 0.5 } });
    const said = "The tide comes in and goes out. ".repeat(10);
    const contents: Content[] = [
      { role: "user", parts: [{ text: said }] },
      { role: "model", parts: [{ text: "Yes." }] },
      { role: "user", parts: [{ text: "And now?" }] },
    ];
    await read(agent, contents, { runId: "r" });
    expect(seen.map((one) => [one.run.parent?.step, one.step.name])).toEqual([
      ["compact:1", "model:1"],
      [undefined, "model:1"],
    ]);
    expect(seen.map(textOf)).toEqual(bodies);
  });

  test("nothing is kept for observers that do not want exchanges", async () => {
    const taps: unknown[] = [];
    const spied = (): Model => {
      const model = new ScriptedModel(say("a"));
      const respond: Model["respond"] = (request, options) => {
        taps.push(options.tap);
        return model.respond(request, options);
      };
      return { id: model.id, capabilities: model.capabilities, check: () => {}, respond };
    };
    for (const observers of [[], [{ observe: () => {} }], [tap()]])
      await read(new Agent({ model: spied(), observers }), "Hi");
    expect(taps).toEqual([undefined, undefined, expect.anything()]);
  });
});

function ignore(): void {}
