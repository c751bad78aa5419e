import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { ApiStatusError } from "../../../src/errors/api-errors.ts";
import type { LogMethod } from "../../../src/logging/logger.ts";
import { createCachedContent } from "../../../src/model/resources/caches.ts";
import type { GeminiClientOptions } from "../../../src/wire/client-options.ts";
import { GeminiClient } from "../../../src/wire/client.ts";
import { endpoint } from "../../../src/wire/endpoints/endpoint.ts";
import { ApiClient } from "../../../src/wire/client.ts";
import { findSecrets } from "../../../src/wire/secrets/header-secrets.ts";
import { redact } from "../../../src/wire/secrets/redact.ts";

const ASK = { contents: [{ role: "user", parts: [{ text: "hi" }] }] } as const;

const COOKIE = "session_id=s3ss10n-one; theme=dark; refresh=r3fr%2Fesh-two; path=/";
const SIGNATURE =
  'Signature keyId="key-0042",algorithm="rsa-sha256",headers="(request-target) date",signature="Qm9/abc+def=="';

/** Everything that one refused request shows, in logs and in its error. */
async function shownBy(
  headers: Readonly<Record<string, string>>,
  echo: string,
  face: "generate" | "stream",
): Promise<{ error: ApiStatusError; shown: string }> {
  const lines: string[] = [];
  const line: LogMethod = (facts, message) => void lines.push(JSON.stringify(facts) + message);
  const client = new GeminiClient({
    endpoint: endpoint({ baseUrl: "https://gateway.example.com", auth: "none", headers }),
    logger: { trace: line, debug: line, info: line, warn: line, error: line },
    retry: { maxAttempts: 1 },
    fetch: async () =>
      new Response(
        JSON.stringify({
          error: { code: 400, message: `Rejected: ${echo}`, status: echo, details: [{ seen: [echo], [echo]: true }] },
        }),
        { status: 400, headers: { "x-request-id": echo } },
      ),
  });
  const error = await (
    face === "generate"
      ? client.generateContent("m", ASK)
      : (async () => {
          for await (const batch of client.streamGenerateContent("m", ASK)) void batch;
        })()
  ).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApiStatusError)) throw new TypeError("expected a refusal", { cause: error });
  return {
    error,
    shown: `${inspect(error, { depth: null, showHidden: true })} ${JSON.stringify(error)} ${lines.join()}`,
  };
}

describe.each(["generate", "stream"] as const)("%s", (face) => {
  test.each([
    ["a cookie's value", { cookie: COOKIE }, "s3ss10n-one"],
    ["a cookie's last value", { cookie: COOKIE }, "r3fr%2Fesh-two"],
    ["a cookie's decoded value", { cookie: COOKIE }, "r3fr/esh-two"],
    ["a signature", { authorization: SIGNATURE }, "Qm9/abc+def=="],
    ["a signature's key", { authorization: SIGNATURE }, "key-0042"],
    ["the signature of a shared key", { authorization: "SharedKey shop:Zm9v/YmFy0aGVyZQ==" }, "Zm9v/YmFy0aGVyZQ=="],
    ["a value of a query", { "x-auth": "https://a.test/?key=zzzz-1111&sig=yyyy-2222" }, "zzzz-1111"],
    ["a later value of a query", { "x-auth": "key=zzzz-1111&sig=yyyy-2222" }, "yyyy-2222"],
    ["a part between bars", { "x-auth": "v1|k3y-0042|s3cr3t-0042" }, "s3cr3t-0042"],
    ["a text of a JSON value", { "x-auth": '{"token":"one two three 4","more":[{"a":"b"}]}' }, "one two three 4"],
    ["the password of Basic", { authorization: `Basic ${btoa("ada:hunter22")}` }, "hunter22"],
    ["a token", { authorization: "Bearer tok3n-value" }, "tok3n-value"],
    ["a key with quotes", { "x-key": 'ab"cd\\ef"gh' }, 'ab"cd\\ef"gh'],
    ["a value of words", { "x-pass": "correct horse battery staple" }, "correct horse battery staple"],
  ])("hides %s in errors and logs, in every form", async (_name, headers, secret) => {
    const json = JSON.stringify(secret).slice(1, -1);
    const forms = [secret, json, encodeURIComponent(secret), btoa(secret), btoa(secret).replace(/=+$/, "")];
    for (const form of forms) {
      const { error, shown } = await shownBy(headers, form, face);
      for (const hidden of [form, secret, json, encodeURIComponent(secret)]) expect(shown).not.toContain(hidden);
      expect(error.details).toEqual([{ seen: ["[redacted]"], "[redacted]": true }]);
      expect(error.requestId).toBe("[redacted]");
    }
  });

  test("leaves ordinary words", async () => {
    const headers = { cookie: COOKIE, authorization: SIGNATURE, "content-type": "application/json" };
    const said = "the Signature with rsa-sha256 over (request-target), in application/json: a dark path=/";
    expect((await shownBy(headers, said, face)).error.message).toContain(said);
  });
});

test("finds a secret inside a longer text in base64", () => {
  for (const before of ["", "a", "ab", "abc"]) {
    const text = btoa(`${before}:s3cr3t-value:after`);
    expect(redact(text, ["s3cr3t-value"])).not.toContain(btoa(`${before}:s3cr3t-value`).slice(6, 18));
  }
});

test("a detail that is nested without end is an answer like any other", async () => {
  const body = `{"error":{"code":400,"message":"no","details":[${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}]}}`;
  const client = new GeminiClient({
    endpoint: endpoint({ baseUrl: "https://gateway.example.com", auth: "none" }),
    fetch: async () => new Response(body, { status: 400 }),
  });
  await expect(client.generateContent("m", ASK)).rejects.toMatchObject({ name: "ApiStatusError", status: 400 });
});

test("the error of a failed connection omits a header that the failure quotes", async () => {
  const client = new GeminiClient({
    endpoint: endpoint({ baseUrl: "https://gateway.example.com", auth: "none", headers: { "x-key": "s3cr3t/value" } }),
    retry: { maxAttempts: 1 },
    fetch: () => Promise.reject(new TypeError("refused s3cr3t%2Fvalue", { cause: new Error("s3cr3t/value") })),
  });
  await expect(client.generateContent("m", ASK)).rejects.toMatchObject({
    name: "ApiNetworkError",
    message: expect.stringContaining("(refused [redacted]: [redacted])"),
  });
});

test("takes the parts that mean something alone, but no ordinary words", () => {
  expect(findSecrets({ "x-pass": "correct horse battery staple", cookie: "theme=dark; sid=c00kie-value" })).toEqual([
    "correct horse battery staple",
    "theme=dark; sid=c00kie-value",
    "theme=dark",
    "sid=c00kie-value",
    "c00kie-value",
  ]);
  expect(findSecrets({ a: 'Digest qop=auth, algorithm=SHA-256, realm="application/json", no-cache' })).toEqual([
    'Digest qop=auth, algorithm=SHA-256, realm="application/json", no-cache',
    "qop=auth",
    "algorithm=SHA-256",
  ]);
});

test("splits a header in linear time, and takes nothing that is short", () => {
  expect(findSecrets({ a: "a=b; c=12345", b: "Bearer emulator" })).toEqual([
    "a=b; c=12345",
    "c=12345",
    "Bearer emulator",
  ]);
  expect(findSecrets({ a: `${"a ".repeat(50_000)}=` })).toHaveLength(1);
});

test.each<[string, unknown, readonly string[]]>([
  [
    "headers of an MCP server, but not what they accept",
    [
      {
        mcpServers: [
          {
            name: "docs",
            streamableHttpTransport: {
              headers: { "x-any": "s3cr3t-one", Accept: "text/event-stream", "MCP-Protocol-Version": "2025-06-18" },
            },
          },
        ],
      },
    ],
    ["s3cr3t-one"],
  ],
  [
    "the same in snake case",
    [{ mcp_servers: { streamable_http_transport: { headers: { authorization: "Bearer s3cr3t-two" } } } }],
    ["Bearer s3cr3t-two", "s3cr3t-two"],
  ],
  [
    "keys in the address of one",
    [
      {
        mcpServers: [
          { streamableHttpTransport: { url: "https://me:s3cr3t-4@a.example/mcp?apiKey=s3cr3t-3&team=weather" } },
        ],
      },
    ],
    ["s3cr3t-3", "s3cr3t-4"],
  ],
  [
    "keys in the path of one, as its user, and under other names",
    ["a.example/s/0123456789abcdefghij/mcp?code=s3cr3t-5&code=s3cr3t-6", "s3cr3t%2B7@a.example/mcp-2025"].map(
      (address) => ({ mcpServers: [{ streamableHttpTransport: { url: `https://${address}` } }] }),
    ),
    ["s3cr3t-5", "s3cr3t-6", "0123456789abcdefghij", "s3cr3t+7"],
  ],
  [
    "keys of searches",
    [{ exaAiSearch: { apiKey: "s3cr3t-exa" } }, { googleMaps: { authConfig: { k: "s3cr3t-maps" } } }],
    ["s3cr3t-exa", "s3cr3t-maps"],
  ],
  [
    "nothing of functions",
    [
      { functionDeclarations: [{ name: "f", parameters: { properties: { apiKey: { description: "your key" } } } }] },
      { googleSearch: {} },
    ],
    [],
  ],
])("of a request's tools, %s", (_what, tools, secrets) => {
  expect(findSecrets({}, tools)).toEqual(secrets);
});

const KEYED = [{ mcpServers: [{ name: "docs", streamableHttpTransport: { headers: { "x-any": "s3cr3t-mcp" } } }] }];
test.each<[string, (client: GeminiClient, options: GeminiClientOptions) => Promise<unknown>]>([
  ["generateContent", (client) => client.generateContent("m", { ...ASK, tools: KEYED })],
  ["streamGenerateContent", (client) => client.streamGenerateContent("m", { ...ASK, tools: KEYED }).next()],
  ["countTokens", (client) => client.countTokens("m", { generateContentRequest: { ...ASK, tools: KEYED } })],
  ["countTokens on Vertex", (client) => client.countTokens("m", { ...ASK, tools: KEYED })],
  [
    "a new cache",
    (_, options) => createCachedContent(new ApiClient(options), { ...ASK, model: "m", tools: KEYED }, {}),
  ],
])("a key in the tools of %s is not repeated", async (_call, send) => {
  const lines: string[] = [];
  const line: LogMethod = (facts, message) => void lines.push(JSON.stringify(facts) + message);
  const options: GeminiClientOptions = {
    endpoint: endpoint({ baseUrl: "https://gateway.example.com", auth: "none", kind: "developer" }),
    logger: { trace: line, debug: line, info: line, warn: line, error: line },
    fetch: async () => new Response('{"error":{"code":400,"message":"s3cr3t-mcp is wrong"}}', { status: 400 }),
  };
  await expect(send(new GeminiClient(options), options)).rejects.toThrow("[redacted] is wrong");
  expect(lines.join()).toContain("x-any");
  expect(lines.join()).not.toContain("s3cr3t");
});
