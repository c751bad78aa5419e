import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { SILENT } from "../../../src/logging/logger.ts";
import { ConfigurationError } from "../../../src/errors/agent-error.ts";
import { cometapi, defaultEndpoint, vertex } from "../../../src/wire/endpoints/services.ts";
import { type Endpoint, endpoint, geminiApi } from "../../../src/wire/endpoints/endpoint.ts";
import { GeminiClient } from "../../../src/wire/client.ts";
import { TRANSPORTS } from "../../helpers/transports.ts";

async function describeEndpoint(target: Endpoint): Promise<object> {
  return {
    kind: target.kind,
    url: `${target.baseUrl}/${target.apiVersion}/${target.modelPath("gemini-flash-latest")}`,
    headers: await target.authHeaders(),
  };
}

/** What an error shows in a log, its cause included. */
function shownOf(make: () => unknown): string {
  try {
    return inspect(make());
  } catch (error) {
    return inspect(error);
  }
}

const GOOGLE = "https://generativelanguage.googleapis.com/v1beta/models/gemini-flash-latest";
const COMET = "https://api.cometapi.com/v1beta/models/gemini-flash-latest";

test.each([
  ["GEMINI_API_KEY", { GEMINI_API_KEY: "gemini-key" }, "developer", GOOGLE, { "x-goog-api-key": "gemini-key" }],
  [
    "GOOGLE_API_KEY before GEMINI_API_KEY",
    { GOOGLE_API_KEY: "google-key", GEMINI_API_KEY: "gemini-key" },
    "developer",
    GOOGLE,
    { "x-goog-api-key": "google-key" },
  ],
  [
    "Google before CometAPI",
    { GEMINI_API_KEY: "gemini-key", COMETAPI_KEY: "comet-key" },
    "developer",
    GOOGLE,
    { "x-goog-api-key": "gemini-key" },
  ],
  ["COMETAPI_KEY alone", { COMETAPI_KEY: "comet-key" }, "gateway", COMET, { "x-goog-api-key": "comet-key" }],
  [
    "a base URL of CometAPI",
    { GOOGLE_GEMINI_BASE_URL: "https://api.cometapi.com/", GEMINI_API_KEY: "gemini-key", COMETAPI_KEY: "comet-key" },
    "gateway",
    COMET,
    { "x-goog-api-key": "comet-key" },
  ],
  [
    "a base URL on this machine, with the emulator's key instead of one from the environment",
    { GOOGLE_GEMINI_BASE_URL: "http://127.0.0.1:8787", GEMINI_API_KEY: "gemini-key" },
    "developer",
    "http://127.0.0.1:8787/v1beta/models/gemini-flash-latest",
    { "x-goog-api-key": "emulator" },
  ],
  [
    "an API version",
    { GEMINI_API_KEY: "gemini-key", GOOGLE_GENAI_API_VERSION: "v1" },
    "developer",
    GOOGLE.replace("v1beta", "v1"),
    { "x-goog-api-key": "gemini-key" },
  ],
  [
    "the short form of an API version",
    { GEMINI_API_KEY: "gemini-key", GOOGLE_GENAI_API_VERSION: "beta" },
    "developer",
    GOOGLE,
    { "x-goog-api-key": "gemini-key" },
  ],
  [
    "the AI SDK's key, last",
    { GOOGLE_GENERATIVE_AI_API_KEY: "other-key" },
    "developer",
    GOOGLE,
    { "x-goog-api-key": "other-key" },
  ],
  [
    "Gemini's key before the AI SDK's",
    { GOOGLE_GENERATIVE_AI_API_KEY: "other-key", GEMINI_API_KEY: "gemini-key" },
    "developer",
    GOOGLE,
    { "x-goog-api-key": "gemini-key" },
  ],
  [
    "Vertex express mode",
    { GOOGLE_GENAI_USE_VERTEXAI: "true", GOOGLE_API_KEY: "google-key" },
    "vertex",
    "https://aiplatform.googleapis.com/v1beta1/publishers/google/models/gemini-flash-latest",
    { "x-goog-api-key": "google-key" },
  ],
  [
    "enterprise before Vertex",
    { GOOGLE_GENAI_USE_ENTERPRISE: "false", GOOGLE_GENAI_USE_VERTEXAI: "true", GEMINI_API_KEY: "gemini-key" },
    "developer",
    GOOGLE,
    { "x-goog-api-key": "gemini-key" },
  ],
])("the environment decides: %s", async (_name, env, kind, url, headers) => {
  expect(await describeEndpoint(defaultEndpoint(env))).toEqual({ kind, url, headers });
});

test("CometAPI's key comes before the AI SDK's", () => {
  const env = { GOOGLE_GENERATIVE_AI_API_KEY: "other-key", COMETAPI_KEY: "comet-key" };
  expect(defaultEndpoint(env).authHeaders()).toEqual({ "x-goog-api-key": "comet-key" });
});

describe("the AI SDK's key", () => {
  test("is one line in the log, without the key", () => {
    const lines: unknown[] = [];
    const logger = { ...SILENT, info: (...line: unknown[]) => void lines.push(line) };
    const target = defaultEndpoint({ GOOGLE_GENERATIVE_AI_API_KEY: "other-key" }, logger);
    expect(lines).toEqual([]);
    for (let request = 0; request < 3; request++) void target.authHeaders();
    expect(lines).toEqual([
      [
        { variable: "GOOGLE_GENERATIVE_AI_API_KEY" },
        "the API key is from the AI SDK's variable, because no other is set",
      ],
    ]);
  });

  test("is not mentioned when another one is used", () => {
    const lines: unknown[] = [];
    const logger = { ...SILENT, info: (...line: unknown[]) => void lines.push(line) };
    const env = { GOOGLE_GENERATIVE_AI_API_KEY: "other-key", GOOGLE_API_KEY: "google-key" };
    void geminiApi({ env, logger }).authHeaders();
    void geminiApi({ env: { GOOGLE_GENERATIVE_AI_API_KEY: "other-key" }, apiKey: "own", logger }).authHeaders();
    expect(lines).toEqual([]);
  });
});

test("a missing key names the variables and the emulator, at the first request", () => {
  const target = defaultEndpoint({});
  const read = (): unknown => target.authHeaders();
  expect(read).toThrow(ConfigurationError);
  for (const word of [
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "COMETAPI_KEY",
    "npx @pollux/cli emulator --port 8787",
    "GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8787",
  ]) {
    expect(read).toThrow(word);
  }
});

test.each([
  ["a gateway", "https://proxy.example.com"],
  ["a host that only looks like Google's", "https://generativelanguage.googleapis.com.example.com"],
  ["Google's host without TLS", "http://generativelanguage.googleapis.com"],
])("an environment key is not sent to %s", (_name, baseUrl) => {
  const env = {
    GEMINI_API_KEY: "gemini-key",
    COMETAPI_KEY: "comet-key",
    GOOGLE_API_KEY: "google-key",
    GOOGLE_GENERATIVE_AI_API_KEY: "other-key",
  };
  expect(() => geminiApi({ baseUrl, env }).authHeaders()).toThrow(ConfigurationError);
  expect(() => cometapi({ baseUrl, env }).authHeaders()).toThrow(ConfigurationError);
  expect(() => vertex({ baseUrl, env }).authHeaders()).toThrow(ConfigurationError);
});

test("an explicit key goes to the host it was given for", async () => {
  expect(
    await geminiApi({ baseUrl: "https://proxy.example.com/g/", apiKey: "own-key", env: {} }).authHeaders(),
  ).toEqual({
    "x-goog-api-key": "own-key",
  });
  expect(await cometapi({ apiKey: "own-key", auth: "bearer", env: {} }).authHeaders()).toEqual({
    authorization: "Bearer own-key",
  });
});

describe("vertex", () => {
  test("with an access token uses project, location and a fresh token", async () => {
    let count = 0;
    const target = vertex({
      accessToken: async () => `token-${++count}`,
      project: "p1",
      location: "europe-west4",
      env: {},
    });
    await target.authHeaders();
    expect(await describeEndpoint(target)).toEqual({
      kind: "vertex",
      url: "https://europe-west4-aiplatform.googleapis.com/v1beta1/projects/p1/locations/europe-west4/publishers/google/models/gemini-flash-latest",
      headers: { authorization: "Bearer token-2" },
    });
  });

  test("takes project and location from the environment, and needs a project", () => {
    const env = { GOOGLE_CLOUD_PROJECT: "p2" };
    expect(vertex({ accessToken: () => "token", env }).modelPath("meta/llama")).toBe(
      "projects/p2/locations/global/publishers/meta/models/llama",
    );
    expect(() => vertex({ accessToken: () => "token", env: {} })).toThrow("GOOGLE_CLOUD_PROJECT");
  });
});

describe("endpoint", () => {
  test.each([
    [
      { baseUrl: "https://gateway.example.com/", apiKey: "some-key" },
      { kind: "gateway", apiVersion: "v1beta", headers: { "x-goog-api-key": "some-key" } },
    ],
    [
      {
        baseUrl: "https://gateway.example.com",
        apiKey: "some-key",
        auth: "bearer",
        headers: { "x-team": "blue" },
      } as const,
      { kind: "gateway", apiVersion: "v1beta", headers: { "x-team": "blue", authorization: "Bearer some-key" } },
    ],
    [
      { baseUrl: "https://gateway.example.com", auth: "none", kind: "vertex" } as const,
      { kind: "vertex", apiVersion: "v1beta1", headers: {} },
    ],
    [
      { baseUrl: "http://localhost:1", apiVersion: "" },
      { kind: "developer", apiVersion: "", headers: { "x-goog-api-key": "emulator" } },
    ],
    [
      { baseUrl: "http://[::1]:1", apiKey: " padded-key\n" },
      { kind: "developer", apiVersion: "v1beta", headers: { "x-goog-api-key": "padded-key" } },
    ],
  ])("%j", async (options, { kind, apiVersion, headers }) => {
    const target = endpoint(options);
    expect({ kind: target.kind, apiVersion: target.apiVersion, headers: await target.authHeaders() }).toEqual({
      kind,
      apiVersion,
      headers,
    });
    expect(target.baseUrl).not.toMatch(/\/$/);
  });

  test.each([
    ["no key for another machine", { baseUrl: "https://gateway.example.com" }],
    ["no URL", { baseUrl: "gateway", apiKey: "some-key" }],
    ["no URL, but credentials", { baseUrl: "https://user:secret-word@two hosts", apiKey: "some-key" }],
    ["another protocol", { baseUrl: "ftp://gateway.example.com", apiKey: "some-key" }],
    ["credentials in the URL", { baseUrl: "https://user:secret-word@gateway.example.com", apiKey: "some-key" }],
    ["a key in the query", { baseUrl: "https://gateway.example.com?key=secret-word", apiKey: "some-key" }],
    [
      "a header that cannot be sent",
      { baseUrl: "https://gateway.example.com", apiKey: "some-key", headers: { a: "secret-word\n" } },
    ],
  ])("refuses %s", (_name, options) => {
    const make = (): unknown => endpoint(options);
    expect(make).toThrow(ConfigurationError);
    expect(make).not.toThrow(/secret-word/);
    expect(shownOf(make)).not.toContain("secret-word");
  });

  test("a key with a line break inside is refused without being quoted", () => {
    const read = (): unknown => endpoint({ baseUrl: "http://127.0.0.1:1", apiKey: "secret\nword" }).authHeaders();
    expect(read).toThrow(ConfigurationError);
    expect(read).not.toThrow(/secret/);
  });

  test.each(["../files", "a?b=c", "a b", "", "a#b", "models/../x", "./files", "tuned/./x"])(
    "refuses the model id %j",
    (model) => {
      expect(() => endpoint({ baseUrl: "http://127.0.0.1:1" }).modelPath(model)).toThrow(ConfigurationError);
    },
  );

  test.each(["gemini-3.8-pro[1m]", "a,b", "vendor/gemini[x,y]"])("the model id %j is a gateway's", (model) => {
    const path = model.includes("/") ? model : `models/${model}`;
    for (const gateway of [cometapi(), endpoint({ baseUrl: "https://gateway.example", apiKey: "k" })])
      expect(gateway.modelPath(model)).toBe(path);
    for (const own of [geminiApi({ apiKey: "k" }), vertex({ apiKey: "k" })])
      expect(() => own.modelPath(model)).toThrow(`${JSON.stringify(model)} is not a model id`);
  });

  test.each(TRANSPORTS)("a gateway gets such an id as it is: %s", async (_name, fetch) => {
    const paths: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url);
      response.end('{"candidates":[{"content":{"parts":[{"text":"ok"}]},"finishReason":"STOP"}]}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = new GeminiClient({ endpoint: cometapi({ baseUrl }), ...(fetch && { fetch }) });
    await client.generateContent("gemini-3.8-pro[1m],fast", { contents: [{ role: "user", parts: [{ text: "Hi" }] }] });
    server.close();
    server.closeAllConnections();
    expect(paths).toEqual(["/v1beta/models/gemini-3.8-pro[1m],fast:generateContent"]);
  });

  test("a model id with a slash stands as it is", () => {
    expect(endpoint({ baseUrl: "http://127.0.0.1:1" }).modelPath("tunedModels/mine")).toBe("tunedModels/mine");
  });
});

test("no endpoint shows its key", () => {
  const apiKey = "key-to-hide-123";
  const targets = [
    geminiApi({ apiKey }),
    cometapi({ apiKey }),
    vertex({ apiKey }),
    endpoint({ baseUrl: "https://x.example.com", apiKey, headers: { a: apiKey } }),
  ];
  for (const target of targets) {
    expect(JSON.stringify(target)).not.toContain(apiKey);
    expect(inspect(target, { depth: null, showHidden: true })).not.toContain(apiKey);
  }
});
