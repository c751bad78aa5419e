import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { GeminiClient } from "../../../src/wire/client.ts";
import type { CallOptions, GeminiClientOptions } from "../../../src/wire/client-options.ts";
import { endpoint } from "../../../src/wire/endpoints/endpoint.ts";
import type { GenerateContentRequest } from "../../../src/wire/types/generate-content.ts";
import type { RetryNotice } from "../../../src/wire/http/retry.ts";
import type { WaitNotice } from "../../../src/wire/limiter/rate-gate.ts";
import { Traffic } from "../../../src/wire/limiter/traffic.ts";
import { stopClock } from "../../helpers/stop-clock.ts";
import { until } from "../../helpers/until.ts";

const MODEL = "gemini-flash-latest";
const ANSWER = { candidates: [{ content: { role: "model", parts: [{ text: "hi" }] }, finishReason: "STOP" }] };
const ask = (text: string): GenerateContentRequest => ({ contents: [{ role: "user", parts: [{ text }] }] });

/** What the service does with a request; by default it answers at once. */
type Script = (text: string, response: ServerResponse, request: IncomingMessage) => unknown;

let script: Script;
let seen: string[];
let baseUrl: string;
const server = createServer((request, response) => void serve(request, response));

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = "";
  for await (const bytes of request) body += String(bytes);
  const text = /"text":"(.*?)"/.exec(body)?.[1] ?? "";
  seen.push(text);
  await script(text, response, request);
  if (!response.headersSent) succeed(response, request.url ?? "");
}

function succeed(response: ServerResponse, url: string): void {
  if (!url.includes(":stream")) {
    response.writeHead(200, { "content-type": "application/json" });
    return void response.end(JSON.stringify(ANSWER));
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.end(`data: ${JSON.stringify(ANSWER)}\r\n\r\n`);
}

function refuse(response: ServerResponse, retryDelay: string, status = 429, quotaId = "PerMinute"): void {
  const details = [
    { "@type": "type.googleapis.com/google.rpc.QuotaFailure", violations: [{ quotaId }] },
    { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay },
  ];
  const reason = status === 429 ? "RESOURCE_EXHAUSTED" : "UNAVAILABLE";
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ error: { code: status, message: "Slow down.", status: reason, details } }));
}

beforeEach(async () => {
  script = () => {};
  seen = [];
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function client(options: GeminiClientOptions = {}): GeminiClient {
  return new GeminiClient({
    endpoint: endpoint({ baseUrl, apiKey: "key-one" }),
    retry: { minDelayMs: 1, maxDelayMs: 2 },
    random: () => 0,
    env: {},
    ...options,
  });
}

/** One request by each of the faces in turn; its text names it. */
let turn = 0;
async function send(by: GeminiClient, text: string, options: CallOptions = {}, model = MODEL): Promise<void> {
  if (turn++ % 2 === 0) await by.generateContent(model, ask(text), options);
  else for await (const batch of by.streamGenerateContent(model, ask(text), options)) void batch;
}

/** Holds every answer until it is let go. */
function holding(): { readonly waiting: (() => void)[]; seen(count: number): Promise<void> } {
  const waiting: (() => void)[] = [];
  script = () => new Promise<void>((resolve) => void waiting.push(resolve));
  return {
    waiting,
    seen: (count) => until(() => seen.length >= count),
  };
}

/** Waits until so many requests are in the queue: who is there was not sent. */
const queued = (traffic: Traffic, count: number): Promise<void> => until(() => traffic.state()[0]?.queued === count);

describe("a limit on what is sent at once", () => {
  test("holds over clients that share it, and every request is answered", async () => {
    const service = holding();
    const traffic = new Traffic({ maxConcurrent: 3 });
    const clients = [client({ traffic }), client({ traffic })];
    const all = Array.from({ length: 40 }, (_, at) => send(clients[at % 2] ?? client(), `r${at}`));
    for (let answered = 0; answered < 40; answered++) {
      const sent = Math.min(answered + 3, 40);
      await service.seen(sent);
      await until(() => traffic.state()[0]?.active === sent - answered);
      expect(traffic.state()).toMatchObject([{ queued: 40 - sent }]);
      expect(seen).toHaveLength(sent);
      service.waiting[answered]?.();
    }
    await Promise.all(all);
    expect({ answered: seen.length, left: traffic.state() }).toEqual({ answered: 40, left: [] });
  });

  test("lets groups take turns, and a client with a group is one group", async () => {
    const service = holding();
    const traffic = new Traffic({ maxConcurrent: 1 });
    const [open, tenant] = [client({ traffic }), client({ traffic, group: "tenant" })];
    const all = [send(open, "first")];
    await service.seen(1);
    for (const text of ["a1", "a2", "a3"]) all.push(send(open, text, { group: "a" }));
    for (const group of ["x", "y"]) all.push(send(tenant, `tenant-${group}`, { group }));
    all.push(send(open, "b1", { group: "b" }));
    await queued(traffic, 6);
    for (let count = 1; count <= 7; count++) {
      await service.seen(count);
      service.waiting[count - 1]?.();
    }
    await Promise.all(all);
    expect(seen).toEqual(["first", "a1", "tenant-x", "b1", "a2", "tenant-y", "a3"]);
  });

  test("a slot is held until the answer's end, and comes back when its reader leaves", async () => {
    script = (text, response) => {
      if (text !== "long") return;
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`data: ${JSON.stringify(ANSWER)}\r\n\r\n`);
    };
    const traffic = new Traffic({ maxConcurrent: 1 });
    const one = client({ traffic });
    const stream = one.streamGenerateContent(MODEL, ask("long"));
    await stream.next();
    const next = send(one, "next");
    await queued(traffic, 1);
    expect(seen).toEqual(["long"]);
    await stream.return();
    await next;
    expect(seen).toEqual(["long", "next"]);
    expect(traffic.state()).toEqual([]);
  });

  test("comes back also when the log fails", async () => {
    const traffic = new Traffic({ maxConcurrent: 1 });
    const ignore = (): void => {};
    const debug = (): never => {
      throw new Error("no log");
    };
    const logger = { trace: ignore, debug, info: ignore, warn: ignore, error: ignore };
    await expect(send(client({ traffic, logger }), "one")).rejects.toThrow("no log");
    await expect(send(client({ traffic, logger }), "other")).rejects.toThrow("no log");
    expect(traffic.state()).toEqual([]);
  });

  test("comes back from an answer that nobody finishes reading, at the latest with its time limit", async () => {
    script = (text, response) => {
      if (text !== "long") return;
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`data: ${JSON.stringify(ANSWER)}\r\n\r\n`);
    };
    stopClock();
    const traffic = new Traffic({ maxConcurrent: 1 });
    const one = client({ traffic, timeouts: { totalMs: 100 } });
    await one.streamGenerateContent(MODEL, ask("long")).next();
    const next = send(one, "next");
    await queued(traffic, 1);
    vi.advanceTimersByTime(99);
    expect(traffic.state()).toMatchObject([{ active: 1, queued: 1 }]);
    vi.advanceTimersByTime(1);
    expect(traffic.state()).toMatchObject([{ active: 0, queued: 1 }]);
    // A slot is handed over a moment later.
    vi.advanceTimersByTime(1);
    await next;
    expect(seen).toEqual(["long", "next"]);
    expect(traffic.state()).toEqual([]);
  });

  test.each([
    ["an error", (response: ServerResponse) => response.writeHead(400).end("{}")],
    ["a broken connection", (response: ServerResponse) => response.destroy()],
    [
      "an answer cut in its middle",
      (response: ServerResponse) => {
        response.writeHead(200, { "content-type": "text/event-stream", "content-length": "100" });
        response.write("data: {");
        response.socket?.end();
      },
    ],
    ["silence", () => new Promise(() => {})],
    ["nonsense", (response: ServerResponse) => response.writeHead(200).end("[1]")],
  ])("comes back after %s", async (what, fail) => {
    script = (text, response) => (text === "bad" ? fail(response) : undefined);
    const traffic = new Traffic({ maxConcurrent: 1 });
    const retry = { maxAttempts: 1 };
    const patient = client({ traffic, retry });
    // Only silence runs into its limit.
    const one = what === "silence" ? client({ traffic, retry, timeouts: { firstByteMs: 20 } }) : patient;
    for (let round = 0; round < 2; round++) {
      const [failed, other] = await Promise.allSettled([send(one, "bad"), send(patient, "good")]);
      expect([failed.status, other.status]).toEqual(["rejected", "fulfilled"]);
    }
    expect(traffic.state()).toEqual([]);
  });

  test("an abort leaves the queue without a request, and time in the queue is no time to the first byte", async () => {
    stopClock();
    const service = holding();
    const traffic = new Traffic({ maxConcurrent: 1 });
    const one = client({ traffic, timeouts: { firstByteMs: 300, totalMs: 400 } });
    const first = one.generateContent(MODEL, ask("first"));
    await service.seen(1);
    const controller = new AbortController();
    const aborted = send(one, "aborted", { signal: controller.signal });
    const second = send(one, "second");
    controller.abort(new Error("enough"));
    await expect(aborted).rejects.toThrow("enough");
    await queued(traffic, 1);
    vi.advanceTimersByTime(250);
    service.waiting[0]?.();
    await first;
    vi.advanceTimersByTime(1);
    await service.seen(2);
    vi.advanceTimersByTime(250);
    service.waiting[1]?.();
    await second;
    expect(seen).toEqual(["first", "second"]);
  });

  test("a queue that is full and a wait that is too long are typed, and not tried again", async () => {
    const service = holding();
    const traffic = new Traffic({ maxConcurrent: 1, maxQueued: 1, maxQueueMs: 30 });
    const one = client({ traffic });
    const retries: RetryNotice[] = [];
    const onRetry = (notice: RetryNotice): void => void retries.push(notice);
    const first = send(one, "first");
    await service.seen(1);
    const slow = send(one, "slow", { onRetry });
    await expect(send(one, "surplus", { onRetry })).rejects.toMatchObject({
      code: "traffic_limit",
      limit: "maxQueued",
    });
    await expect(slow).rejects.toMatchObject({ code: "traffic_limit", limit: "maxQueueMs", value: 30 });
    service.waiting[0]?.();
    await first;
    expect({ seen, retries, left: traffic.state() }).toEqual({ seen: ["first"], retries: [], left: [] });
  });
});

describe.each([429, 503])("a %i with a wait", (status) => {
  test("holds all requests for the model back, says so, and costs the others no attempt", async () => {
    stopClock();
    let refusals = 0;
    script = (_text, response) => void (refusals++ === 0 && refuse(response, "0.15s", status));
    const traffic = new Traffic({ random: () => 0 });
    const [one, other] = [client({ traffic }), client({ traffic, retry: { maxAttempts: 2 } })];
    const notices: (RetryNotice | WaitNotice)[] = [];
    const note = (notice: RetryNotice | WaitNotice): void => void notices.push(notice);
    const refused = send(one, "refused", { onRetry: note, onWait: note });
    await until(() => notices.length === 1);
    const waiting = send(other, "waiting", { onRetry: note, onWait: note });
    await send(other, "other model", {}, "gemini-pro-latest");
    await one.countTokens(MODEL, ask("counting"));
    await queued(traffic, 2);
    vi.advanceTimersByTime(149);
    expect(traffic.state()).toEqual([{ baseUrl, active: 0, queued: 2, heldBack: [{ name: MODEL, forMs: 1 }] }]);
    expect(seen).toEqual(["refused", "other model", "counting"]);
    vi.advanceTimersByTime(1);
    await Promise.all([refused, waiting]);
    expect(seen.toSorted()).toEqual(["counting", "other model", "refused", "refused", "waiting"]);
    const error = { code: "api_status", message: expect.stringContaining("Slow down."), status };
    expect(notices).toEqual([
      { attempt: 1, delayMs: 150, error },
      { delayMs: 150, error },
    ]);
  });
});

test("a wait for one key delays neither another key nor a client with its own traffic", async () => {
  stopClock();
  script = (text, response) => (text === "refused" ? refuse(response, "60s") : undefined);
  const traffic = new Traffic({ random: () => 0 });
  const one = client({ traffic, retry: { maxAttempts: 1 } });
  await expect(send(one, "refused")).rejects.toMatchObject({ status: 429 });
  await send(client({ traffic, endpoint: endpoint({ baseUrl, apiKey: "key-two" }) }), "other key");
  await send(client(), "own traffic");
  expect(traffic.state()).toEqual([{ baseUrl, active: 0, queued: 0, heldBack: [{ name: MODEL, forMs: 60_000 }] }]);
  expect(JSON.stringify(traffic.state())).not.toContain("key-");
});

test("a wait longer than allowed fails the others at once, without a request", async () => {
  stopClock();
  script = (text, response) => (text === "refused" ? refuse(response, "400s") : undefined);
  const one = client();
  await expect(send(one, "refused")).rejects.toMatchObject({ status: 429, retryAfterMs: 400_000 });
  const unsent = {
    status: 429,
    retryAfterMs: 400_000,
    message: expect.stringMatching(/^Not sent: /),
  };
  await expect(send(one, "next")).rejects.toMatchObject(unsent);
  await expect(send(client({ retry: { maxAttempts: 1 } }), "next")).resolves.toBeUndefined();
  expect(seen).toEqual(["refused", "next"]);
});

test("a client that does not try again does not wait either", async () => {
  stopClock();
  script = (text, response) => (text === "refused" ? refuse(response, "40s") : undefined);
  const one = client({ retry: { maxAttempts: 1 } });
  await expect(send(one, "refused")).rejects.toMatchObject({ status: 429, retryAfterMs: 40_000 });
  await expect(send(one, "next")).rejects.toMatchObject({ message: expect.stringMatching(/^Not sent: /) });
  expect(seen).toEqual(["refused"]);
});

test("a daily quota is no wait: each request gets its own error, and none hangs", async () => {
  script = (_text, response) => refuse(response, "34s", 429, "GenerateRequestsPerDayPerProjectPerModel-FreeTier");
  const one = client();
  for (const text of ["first", "second"])
    await expect(send(one, text)).rejects.toMatchObject({
      status: 429,
      retryable: false,
      resetsAt: expect.any(Number),
    });
  expect(seen).toEqual(["first", "second"]);
});

test("an abort ends a wait that the service asked another request for", async () => {
  script = (text, response) => (text === "refused" ? refuse(response, "60s") : undefined);
  const traffic = new Traffic();
  const one = client({ traffic });
  const controller = new AbortController();
  const { signal } = controller;
  const told: WaitNotice[] = [];
  const refused = send(one, "refused", {
    signal,
    onRetry: () =>
      void send(one, "next", { signal, onWait: (notice) => void told.push(notice) }).catch((error: unknown) =>
        ends.push(error),
      ),
  });
  const ends: unknown[] = [];
  await until(() => told.length === 1);
  controller.abort("enough");
  await expect(refused).rejects.toBe("enough");
  await until(() => ends.length > 0);
  expect(ends).toEqual(["enough"]);
  expect(traffic.state()).toMatchObject([{ active: 0, queued: 0 }]);
  expect(seen).toEqual(["refused"]);
});
