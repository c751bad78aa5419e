import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import {
  Agent,
  ApiStatusError,
  cometapi,
  endpoint,
  gemini,
  type GeminiOptions,
  geminiApi,
  googleSearch,
  MemoryStore,
  type Logger,
  type LogMethod,
  type RunEvent,
  vertex,
} from "@pollux/core";
import type { Observer } from "@pollux/core/observers";
import { type FaultRule, faults, say } from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { byStep, TOOLS, trip } from "../support/trip.ts";
import { CATALOG } from "../support/fault-catalog.ts";
import { inMadeUpTime, SILENCE_MS } from "../support/made-up-time.ts";
import { openWorld } from "../support/world.ts";

const KEY = "Zq7~unusual+key/0815";
const FORMS = [KEY, encodeURIComponent(KEY), btoa(KEY), KEY.slice(0, 14)];

const inBase64 = (before: string, encoding: "base64" | "base64url" = "base64"): string =>
  Buffer.from(`${before}${KEY}yz`).toString(encoding);

/** Ways in which a service may repeat the key, with the text that must not appear. */
const SPELLINGS: Readonly<Record<string, readonly [said: string, hidden: string]>> = {
  "as it is": [KEY, KEY],
  "escaped in JSON": [KEY.replaceAll("/", String.raw`\/`), "unusual"],
  "in JSON inside JSON": [JSON.stringify(JSON.stringify({ KEY })), "unusual"],
  "in a URL inside a URL": [encodeURIComponent(encodeURIComponent(KEY)), "unusual"],
  "escaped in HTML": [KEY.replaceAll("+", "&#43;").replaceAll("/", "&#x2F;"), "unusual"],
  "in hex": [Buffer.from(KEY).toString("hex"), Buffer.from("unusual").toString("hex")],
  "in base64": [inBase64(""), inBase64("").slice(4, 16)],
  "in base64, after one byte": [inBase64("a"), inBase64("a").slice(4, 16)],
  "in base64, after two bytes": [inBase64("ab"), inBase64("ab").slice(4, 16)],
  "in base64url": [inBase64("a", "base64url"), inBase64("a", "base64url").slice(4, 16)],
};

/** All ways to print a value. */
function written(value: unknown): string {
  const deep = inspect(value, {
    depth: Number.POSITIVE_INFINITY,
    showHidden: true,
    getters: true,
    maxStringLength: null,
  });
  const error = value instanceof Error ? `${value.message} ${value.stack} ${written(value.cause)}` : "";
  return `${deep} ${JSON.stringify(value)} ${String(value)} ${error}`;
}

function expectClean(value: unknown, where: string): void {
  const all = written(value);
  for (const form of FORMS) expect(all.includes(form), `${where} holds ${form}`).toBe(false);
}

/** Keeps every line at every level, in a logger's format. */
function collect(): { lines: unknown[]; logger: Logger } {
  const lines: unknown[] = [];
  const line: LogMethod = (facts, message) => void lines.push([JSON.stringify(facts), message, facts]);
  return { lines, logger: { trace: line, debug: line, info: line, warn: line, error: line } };
}

/** Runs an agent with the key. @returns Everything that is visible of it. */
async function everythingOf(options: GeminiOptions, face: string): Promise<unknown[]> {
  const { lines, logger } = collect();
  const model = gemini("gemini-3.8-flash", {
    logger,
    ...options,
    retry: { maxAttempts: 2, minDelayMs: 1, maxDelayMs: 1 },
  });
  const exchanges: unknown[] = [];
  const observer: Observer = {
    exchange: (one) => void exchanges.push({ ...one, body: new TextDecoder().decode(one.body) }),
  };
  const tools = [...TOOLS, googleSearch()];
  const agent = new Agent({ model, logger, tools, limits: { restarts: 0 }, observers: [observer] });
  const running = agent.stream("Weather?");
  const seen: unknown[] = [lines, agent, model, options.endpoint, exchanges];
  try {
    if (face === "run") seen.push(await agent.run("Weather?"));
    else {
      const events: RunEvent[] = [];
      seen.push(events);
      for await (const event of running) events.push(event);
      seen.push(await running.result(), running.soFar);
    }
  } catch (error) {
    seen.push(error, running.soFar);
  }
  expect(lines.length).toBeGreaterThan(0);
  expect(exchanges.length).toBeGreaterThan(0);
  return seen;
}

async function serve(
  answer: (request: IncomingHttpHeaders) => { status: number; headers?: Record<string, string>; body?: string },
): Promise<Server & AsyncDisposable & { url: string; seen: IncomingHttpHeaders[] }> {
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers);
    const { status, headers = {}, body = "" } = answer(request.headers);
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(server, {
    url: `http://127.0.0.1:${port}`,
    seen,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

describe.each(["run", "stream"])("%s", (face) => {
  test.each(["x-goog-api-key", "bearer"] as const)("a good run with %s shows the key to nobody", async (auth) => {
    await using world = await openWorld({ brain: trip(), profile: "comet" });
    const seen = await everythingOf(
      { endpoint: endpoint({ baseUrl: world.url, apiKey: KEY, auth, kind: "gateway" }) },
      face,
    );
    for (const [index, value] of seen.entries()) expectClean(value, `value ${index}`);
    expectClean(world.emulator.requests, "the emulator's log");
    expect(written(seen[0])).toContain("request body");
  });

  test("no fault reveals it", async () => {
    const timeouts = { firstByteMs: SILENCE_MS, idleMs: SILENCE_MS, totalMs: Number.POSITIVE_INFINITY };
    for (const [name, fault] of Object.entries(CATALOG)) {
      await using world = await openWorld({ brain: trip(), faults: [{ at: () => true, fault }] });
      const options = { endpoint: endpoint({ baseUrl: world.url, apiKey: KEY }), fetch: world.fetch, timeouts };
      const seen = await inMadeUpTime(world.takeSilence, () => everythingOf(options, face));
      for (const value of seen) expectClean(value, name);
    }
  });

  const detailed = {
    error: {
      code: 429,
      status: `R_${KEY}`,
      message: "No.",
      details: [
        { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: KEY, metadata: { consumer: `key:${KEY}` } },
        {
          "@type": "type.googleapis.com/google.rpc.QuotaFailure",
          violations: [{ quotaId: KEY, quotaMetric: KEY, quotaValue: KEY }],
        },
      ],
    },
  };
  const echoes: readonly (readonly [string, FaultRule["fault"]])[] = [
    ["an error", faults.apiError(400, "INVALID_ARGUMENT", `API key not valid: ${KEY} (${encodeURIComponent(KEY)})`)],
    ["a gateway's error", faults.gatewayStatus({ message: `token ${KEY} has no quota`, code: KEY })],
    ["an error in a stream", faults.errorInStream({ message: `upstream refused ${KEY}`, status: KEY })],
    ["a gateway's error in a stream", faults.gatewayErrorInStream({ message: `bad key ${KEY}`, code: KEY })],
    ["details", { ...faults.plainQuota(), body: JSON.stringify(detailed), headers: { "x-request-id": KEY } }],
    ["details in a stream", { ...faults.errorInStream(), data: detailed }],
    ["a list of errors", { ...faults.plainQuota(), body: JSON.stringify([detailed]) }],
    ["an escaped body", { ...faults.plainQuota(), body: JSON.stringify(detailed).replaceAll("/", String.raw`\/`) }],
    ["a long text that is cut in the middle of it", faults.apiError(400, "BAD", "x".repeat(1_984) + KEY)],
    ["a nested body", faults.gatewayStatus({ message: JSON.stringify(detailed) })],
    ["a page", { ...faults.htmlPage(), body: `<html><title>403</title>?key=${KEY}</html>` }],
    ["an excerpt that is cut in the middle of it", { ...faults.htmlPage(), status: 200, body: "x".repeat(185) + KEY }],
    ["something that is no answer", { ...faults.htmlPage(), status: 200, body: `welcome, ${KEY}` }],
  ];
  test.each(echoes)("a server that repeats it in %s is not quoted", async (_what, fault) => {
    await using world = await openWorld({ brain: byStep(() => say("Hello.")), faults: [{ at: () => true, fault }] });
    const there = endpoint({ baseUrl: world.url, apiKey: KEY });
    for (const transport of ["stream", "unary"] as const) {
      const seen = await everythingOf({ endpoint: there, transport }, face);
      for (const [index, value] of seen.entries()) expectClean(value, `${transport}, value ${index}`);
    }
  });

  test.each(Object.entries(SPELLINGS))(
    "%s, it is in no error, log, event or stored session",
    async (_name, spelling) => {
      const [said, hidden] = spelling;
      const body = JSON.stringify({
        error: { code: 400, status: "BAD", message: `Refused: ${said}`, details: [{ seen: [said], [said]: 1 }] },
      });
      const fault = { ...faults.plainQuota(), status: 400, body, headers: { "x-request-id": `id ${said}` } };
      await using world = await openWorld({ brain: trip(), faults: [{ at: () => true, fault }] });
      const { lines, logger } = collect();
      const model = gemini("gemini-3.8-flash", {
        endpoint: endpoint({ baseUrl: world.url, apiKey: KEY }),
        fetch: world.fetch,
        logger,
      });
      const store = new MemoryStore();
      const session = new Agent({ model, logger }).session({ id: "one", store });
      const events: RunEvent[] = [];
      const failure: unknown = await (async () => {
        if (face === "run") return await session.send("Weather?");
        for await (const event of session.stream("Weather?")) events.push(event);
        return undefined;
      })().catch((error: unknown) => error);
      const entries = await store.load("one");
      if (!(failure instanceof ApiStatusError)) throw new TypeError("expected a refusal", { cause: failure });
      const { message, details, requestId } = failure;
      const places = { message, details, requestId, failure, lines, events, entries };
      for (const [place, value] of Object.entries(places)) {
        expectClean(value, place);
        expect(written(value).includes(hidden), `${place} holds ${hidden}`).toBe(false);
      }
      for (const value of [message, details, requestId]) expect(written(value)).toContain("[redacted]");
      expect(entries.length).toBeGreaterThan(0);
    },
  );

  test.each(Object.entries(SPELLINGS))("%s, it is in no log of requests and answers", async (_name, spelling) => {
    const [said, hidden] = spelling;
    // The log has a streamed answer in chunks, each of which may contain only a part of it.
    for (const [transport, logged] of [
      ["stream", ["request body"]],
      ["unary", ["request body", "response body"]],
    ] as const) {
      await using world = await openWorld({ brain: byStep(() => say(`It is ${said}.`)) });
      const { lines, logger } = collect();
      const there = endpoint({ baseUrl: world.url, apiKey: KEY });
      const model = gemini("gemini-3.8-flash", { endpoint: there, fetch: world.fetch, logger, transport });
      const agent = new Agent({ model, logger });
      const question = `Is ${said} mine?`;
      await (face === "run" ? agent.run(question) : agent.stream(question).result());
      for (const text of logged) {
        const bodies = lines.map(written).filter((line) => line.includes(text));
        for (const line of bodies) expect(line.includes(hidden), `${transport}, ${text}: ${line}`).toBe(false);
        expect(bodies.some((line) => line.includes("[redacted]"))).toBe(true);
      }
    }
  });

  test("nor are cookies and signatures of several parts, which a session's log does not keep either", async () => {
    const parts = ["c00kie-one", "c00kie/two=", "s1gn+ature"];
    const headers = {
      cookie: `a=${parts[0]}; b=${parts[1]}; c=d`,
      authorization: `Signature keyId="k",signature="${parts[2]}"`,
    };
    for (const secret of [...parts, headers.cookie, headers.authorization]) {
      const fault = faults.apiError(400, "INVALID_ARGUMENT", `refused ${JSON.stringify(secret)}, ${btoa(secret)}`);
      await using world = await openWorld({ brain: trip(), faults: [{ at: () => true, fault }] });
      const store = new MemoryStore();
      const agent = new Agent({
        model: gemini("gemini-3.8-flash", { endpoint: endpoint({ baseUrl: world.url, headers }), fetch: world.fetch }),
      });
      const session = agent.session({ id: "one", store });
      const failure: unknown = await (
        face === "run" ? session.send("Weather?") : session.stream("Weather?").result()
      ).catch((error: unknown) => error);
      const entries = await store.load("one");
      expect(entries.length).toBeGreaterThan(0);
      for (const hidden of [...parts, btoa(secret)])
        expect(written([failure, entries]).includes(hidden), `${secret} shows ${hidden}`).toBe(false);
    }
  });

  test("a redirect is not followed, and its target never sees the key", async () => {
    await using target = await serve(() => ({ status: 200, body: "{}" }));
    for (const status of [301, 302, 303, 307, 308]) {
      await using source = await serve(() => ({
        status,
        headers: { location: `${target.url}/v1beta?key=${encodeURIComponent(KEY)}` },
      }));
      const seen = await everythingOf({ endpoint: endpoint({ baseUrl: source.url, apiKey: KEY }) }, face);
      expect(source.seen[0]?.["x-goog-api-key"]).toBe(KEY);
      for (const value of seen) expectClean(value, String(status));
      expect(written(seen.at(-2))).toContain("redirect");
    }
    expect(target.seen).toEqual([]);
  });

  test("the error for an unreachable host does not contain it", async () => {
    const gone = await serve(() => ({ status: 200 }));
    await gone[Symbol.asyncDispose]();
    const seen = await everythingOf({ endpoint: endpoint({ baseUrl: gone.url, apiKey: KEY }) }, face);
    for (const value of seen) expectClean(value, "unreachable");
  });
});

test("a key of the environment goes to no other host, and a local one gets the emulator's", async () => {
  const env = { GEMINI_API_KEY: KEY, GOOGLE_API_KEY: KEY, COMETAPI_KEY: KEY, GOOGLE_GENERATIVE_AI_API_KEY: KEY };
  await using local = await serve(() => ({ status: 400, body: "{}" }));
  for (const there of [geminiApi({ baseUrl: local.url, env }), cometapi({ baseUrl: local.url, env })]) {
    await everythingOf({ endpoint: there }, "run");
    expectClean(there, "the endpoint");
  }
  expect(local.seen.length).toBeGreaterThanOrEqual(2);
  for (const headers of local.seen) expectClean(headers, "the headers");
  for (const make of [geminiApi, cometapi]) {
    const there = make({ baseUrl: "https://elsewhere.example", env });
    expect(() => there.authHeaders()).toThrow("No API key for elsewhere.example");
  }
});

test("an endpoint does not show its key", () => {
  expectClean(endpoint({ baseUrl: "https://gateway.example", apiKey: KEY, headers: { "x-team": KEY } }), "endpoint()");
  expectClean(geminiApi({ apiKey: KEY }), "geminiApi()");
  expectClean(cometapi({ apiKey: KEY }), "cometapi()");
  expectClean(vertex({ apiKey: KEY }), "vertex()");
  const wrong = `${KEY}\nsecond line`;
  const error = (() => {
    try {
      return endpoint({ baseUrl: "https://gateway.example", apiKey: wrong }).authHeaders();
    } catch (thrown) {
      return thrown;
    }
  })();
  expect(error).toBeInstanceOf(Error);
  expectClean(error, "the error");
});
