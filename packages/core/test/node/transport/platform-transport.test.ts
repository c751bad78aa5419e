import { subscribe, unsubscribe } from "node:diagnostics_channel";
import http from "node:http";
import https from "node:https";
import { Socket } from "node:net";
import { gemini } from "@pollux/core";
import { http as mockHttp, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from "vitest";
import { GeminiClient } from "../../../src/wire/client.ts";
import type { GeminiClientOptions } from "../../../src/wire/client-options.ts";
import { endpoint } from "../../../src/wire/endpoints/endpoint.ts";
import { ANSWER, ASK, json, serve } from "../../helpers/node-service.ts";

/** What a request went out by: only `fetch` says what it is for. */
type Way = "fetch" | "node:http";

interface Watched {
  readonly url: string;
  readonly ways: Way[];
  /** What the debug log said about the choice. */
  readonly said: object[];
  readonly ask: (options?: GeminiClientOptions) => Promise<Way | undefined>;
  /** A client that asks again and again. */
  readonly client: (options?: GeminiClientOptions) => GeminiClient;
}

async function watched(): Promise<Watched> {
  const ways: Way[] = [];
  const said: object[] = [];
  const { port } = await serve((request, response) => {
    ways.push(request.headers["sec-fetch-mode"] === undefined ? "node:http" : "fetch");
    json(request, response);
  });
  const url = `http://127.0.0.1:${port}`;
  const none = (): void => {};
  const logger = {
    trace: none,
    debug: (facts: object, message: string) => void (message === "HTTP client chosen" && said.push(facts)),
    info: none,
    warn: none,
    error: none,
  };
  const client = (options: GeminiClientOptions = {}): GeminiClient =>
    new GeminiClient({ endpoint: endpoint({ baseUrl: url }), retry: { maxAttempts: 1 }, env: {}, logger, ...options });
  return {
    url,
    ways,
    said,
    client,
    async ask(options) {
      await client(options).generateContent("m", ASK);
      return ways.at(-1);
    },
  };
}

const DISPATCHERS = [1, 2].map((version) => Symbol.for(`undici.globalDispatcher.${version}`));

/** The class of Node's own agent, which its `fetch` leaves behind. */
async function nodesAgent(): Promise<new (options: object) => object> {
  await fetch("data:,").catch(() => {});
  await fetch("http://127.0.0.1:9").catch(() => {});
  const set = DISPATCHERS.map((key) => Reflect.get(globalThis, key) as object | undefined);
  const agent = set.findLast((one) => one !== undefined);
  return agent?.constructor as new (options: object) => object;
}

let before: unknown[];
beforeEach(() => (before = DISPATCHERS.map((key) => Reflect.get(globalThis, key) as unknown)));
afterEach(() => {
  DISPATCHERS.forEach((key, at) => {
    if (before[at] !== undefined) Reflect.set(globalThis, key, before[at]);
  });
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test("a client goes by node:http, and says so", async () => {
  const { ask, said } = await watched();
  expect(await ask()).toBe("node:http");
  expect(said).toEqual([{ httpClient: "node:http", why: "fetch is unpatched" }]);
});

test("so does a model, and a stream, over connections that all share", async () => {
  const { client, ways, url } = await watched();
  for (let i = 0; i < 2; i++) await client().generateContent("m", ASK);
  const model = gemini("m", { endpoint: endpoint({ baseUrl: url }), env: {} });
  const request = { contents: ASK.contents, functions: [], builtIns: [], settings: {} };
  const response = await model.respond(request, { signal: new AbortController().signal });
  expect(response.content.parts).toEqual([{ text: "a" }]);
  expect(ways).toEqual(["node:http", "node:http", "node:http"]);
});

test("Node's own fetch does not stand in the way, used before or after", async () => {
  const { ask, url, ways } = await watched();
  await (await fetch(url)).text();
  expect(await ask()).toBe("node:http");
  await (await fetch(url)).text();
  expect(await ask()).toBe("node:http");
  expect(ways).toEqual(["fetch", "node:http", "fetch", "node:http"]);
});

describe("fetch is used", () => {
  test("where one was given", async () => {
    const { ask, ways } = await watched();
    const fetch = vi.fn<typeof globalThis.fetch>((input, init) => globalThis.fetch(input, init));
    await ask({ fetch });
    expect(fetch).toHaveBeenCalledTimes(1);
    expect(ways).toEqual(["fetch"]);
  });

  test("while globalThis.fetch is replaced, which is checked for each request", async () => {
    const { client, ways, said } = await watched();
    const one = client();
    await one.generateContent("m", ASK);
    const stub = vi.fn<typeof globalThis.fetch>(async () => Response.json(ANSWER));
    vi.stubGlobal("fetch", stub);
    await one.generateContent("m", ASK);
    expect(stub).toHaveBeenCalledTimes(1);
    vi.unstubAllGlobals();
    await one.generateContent("m", ASK);
    expect(ways).toEqual(["node:http", "node:http"]);
    expect(said).toMatchObject([
      { httpClient: "node:http" },
      { httpClient: "fetch", why: "globalThis.fetch is not Node's own" },
      { httpClient: "node:http" },
    ]);
  });

  test.each<[string, (own: typeof fetch) => typeof fetch]>([
    ["a function around it", (own) => async (input, init) => own(input, init)],
    ["a proxy of it", (own) => new Proxy(own, {})],
    ["a bound one", (own) => own.bind(globalThis)],
    [
      "one that says it is Node's",
      (own) => Object.assign((...args: Parameters<typeof own>) => own(...args), { toString: () => String(own) }),
    ],
  ])("where globalThis.fetch is %s", async (_name, patch) => {
    const { ask } = await watched();
    vi.stubGlobal("fetch", patch(fetch));
    expect(await ask()).toBe("fetch");
  });

  test("where it was patched before this library was imported", async () => {
    const { ask, url, ways } = await watched();
    const own = fetch;
    vi.stubGlobal("fetch", (...args: Parameters<typeof own>) => own(...args));
    vi.resetModules();
    const fresh = await import("../../../src/wire/client.ts");
    const client = new fresh.GeminiClient({ endpoint: endpoint({ baseUrl: url }), env: {} });
    await client.generateContent("m", ASK);
    vi.unstubAllGlobals();
    expect(ways).toEqual(["fetch"]);
    expect(await ask()).toBe("node:http");
  });

  test("where a dispatcher of undici is set that is not Node's", async () => {
    const { ask, said } = await watched();
    await nodesAgent();
    for (const key of DISPATCHERS) {
      const own = Reflect.get(globalThis, key) as { dispatch: (...args: unknown[]) => unknown } | undefined;
      if (own === undefined) continue;
      Reflect.set(globalThis, key, { dispatch: (...args: unknown[]) => own.dispatch(...args) });
      expect(await ask()).toBe("fetch");
      Reflect.set(globalThis, key, own);
    }
    expect(said[0]).toEqual({
      httpClient: "fetch",
      why: "a global dispatcher of undici is set that is not Node's default",
    });
    expect(await ask()).toBe("node:http");
  });

  test.each<[string, (Agent: new (options: object) => object) => object]>([
    ["with options", (Agent) => new Agent({ connections: 1 })],
    ["with a way to connect", (Agent) => new Agent({ connect: { timeout: 5000 } })],
    [
      "with interceptors",
      (Agent) => {
        const agent = new Agent({}) as { compose(interceptor: (next: unknown) => unknown): object };
        return agent.compose(
          (next) =>
            (...args: unknown[]) =>
              (next as (...args: unknown[]) => unknown)(...args),
        );
      },
    ],
    ["of a class of its own", (Agent) => new (class Own extends Agent {})({})],
  ])("where a dispatcher is Node's own agent %s", async (_name, make) => {
    const { ask } = await watched();
    const made = make(await nodesAgent());
    for (const key of DISPATCHERS) if (Reflect.get(globalThis, key) !== undefined) Reflect.set(globalThis, key, made);
    expect(await ask()).toBe("fetch");
  });

  test.each(["undici:request:create", "undici:request:headers", "undici:client:connected"])(
    "while %s has subscribers, as with tracing",
    async (name) => {
      const { ask, said } = await watched();
      const seen = vi.fn<() => void>();
      subscribe(name, seen);
      try {
        expect(await ask()).toBe("fetch");
        expect(said).toMatchObject([{ why: `the diagnostics channel ${name} has subscribers` }]);
      } finally {
        unsubscribe(name, seen);
      }
      expect(await ask()).toBe("node:http");
    },
  );

  test.each<[string, () => MockInstance]>([
    ["http.request", () => vi.spyOn(http, "request")],
    ["https.request", () => vi.spyOn(https, "request")],
    ["the connecting of sockets", () => vi.spyOn(Socket.prototype, "connect")],
  ])("while %s is patched, as by mocks and tracing", async (_name, patch) => {
    const { ask, said } = await watched();
    const spy = patch();
    expect(await ask()).toBe("fetch");
    expect(said).toMatchObject([{ why: "node:http is patched" }]);
    spy.mockRestore();
    expect(await ask()).toBe("node:http");
  });

  test("by msw, which answers it", async () => {
    const { client, ways, url } = await watched();
    const one = client();
    await one.generateContent("m", ASK);
    const mocked = setupServer(
      mockHttp.post(`${url}/*`, () =>
        HttpResponse.json({ candidates: [{ content: { role: "model", parts: [{ text: "mocked" }] } }] }),
      ),
    );
    mocked.listen();
    try {
      expect((await one.generateContent("m", ASK)).candidates?.[0]?.content?.parts).toEqual([{ text: "mocked" }]);
    } finally {
      mocked.close();
    }
    await one.generateContent("m", ASK);
    expect(ways).toEqual(["node:http", "node:http"]);
  });
});

describe("the user's choice wins", () => {
  test.each<[GeminiClientOptions, Way]>([
    [{ httpClient: "fetch" }, "fetch"],
    [{ httpClient: "node" }, "node:http"],
    [{ env: { POLLUX_HTTP_CLIENT: "fetch" } }, "fetch"],
    [{ env: { POLLUX_HTTP_CLIENT: "node" } }, "node:http"],
    [{ env: { POLLUX_HTTP_CLIENT: "fetch" }, httpClient: "auto" }, "node:http"],
    [{ env: { POLLUX_HTTP_CLIENT: "" } }, "node:http"],
  ])("%j", async (options, way) => {
    const { ask, said } = await watched();
    expect(await ask(options)).toBe(way);
    expect(said).toMatchObject([{ httpClient: way }]);
  });

  test("node uses node:http, even if something watches fetch", async () => {
    const { ask } = await watched();
    vi.stubGlobal("fetch", () => Promise.reject(new Error("not to be called")));
    expect(await ask({ httpClient: "node" })).toBe("node:http");
  });

  test("an unknown word is refused, and so is a name beside a fetch", () => {
    const make = (options: GeminiClientOptions): GeminiClient => new GeminiClient({ env: {}, ...options });
    expect(() => make({ env: { POLLUX_HTTP_CLIENT: "undici" } })).toThrow(
      'POLLUX_HTTP_CLIENT must be "auto", "fetch" or "node".',
    );
    // What JavaScript can pass.
    expect(() => make({ httpClient: "undici" as "auto" })).toThrow('httpClient must be "auto", "fetch" or "node".');
    expect(() => make({ httpClient: "node", fetch: globalThis.fetch })).toThrow("mutually exclusive");
  });
});
