import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { ApiStatusError } from "../../../src/errors/api-errors.ts";
import type { LogMethod } from "../../../src/logging/logger.ts";
import { GeminiClient } from "../../../src/wire/client.ts";
import { endpoint } from "../../../src/wire/endpoints/endpoint.ts";
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

test("a failed connection is told of without a header that the failure quotes", async () => {
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
