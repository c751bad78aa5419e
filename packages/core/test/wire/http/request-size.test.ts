import { expect, test } from "vitest";
import { ConfigurationError } from "../../../src/errors/agent-error.ts";
import { cometapi, vertex } from "../../../src/wire/endpoints/services.ts";
import { GeminiClient } from "../../../src/wire/client.ts";
import type { GeminiClientOptions } from "../../../src/wire/client-options.ts";
import { type Endpoint, endpoint } from "../../../src/wire/endpoints/endpoint.ts";
import { checkRequestSize } from "../../../src/wire/http/encode-request.ts";

const LIMIT = 104_857_600;

/** The outcome of a request whose body has so many bytes. */
async function sending(bytes: number, options: GeminiClientOptions): Promise<string> {
  let sent = 0;
  const client = new GeminiClient({
    ...options,
    fetch: async (_url, { body }) => {
      sent = (body as Uint8Array).byteLength;
      return Response.json({ candidates: [{ finishReason: "STOP" }] });
    },
  });
  const empty = { contents: [{ role: "user" as const, parts: [{ text: "" }] }] };
  const text = "a".repeat(bytes - JSON.stringify(empty).length);
  try {
    await client.generateContent("gemini-3.8-flash", { contents: [{ role: "user", parts: [{ text }] }] });
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(sent).toBe(0);
    return String(error);
  }
  return `sent ${sent}`;
}

const developer = endpoint({ baseUrl: "https://gemini.example", apiKey: "k", kind: "developer" });

test.each<[string, number, GeminiClientOptions, string]>([
  ["as large as the limit", 1000, { endpoint: developer, maxRequestBytes: 1000 }, "sent 1000"],
  [
    "larger on the Developer API",
    1001,
    { endpoint: developer, maxRequestBytes: 1000 },
    "ConfigurationError: The request is 1001 bytes; maxRequestBytes is 1000: upload large media with files().upload() and send the file reference, or shorten the history.",
  ],
  [
    "larger on Vertex",
    1001,
    { endpoint: vertex({ apiKey: "k", env: {} }), maxRequestBytes: 1000 },
    'ConfigurationError: The request is 1001 bytes; maxRequestBytes is 1000: put large media into Cloud Storage and send media("gs://bucket/file"), or shorten the history.',
  ],
  [
    "larger on a gateway",
    1001,
    { endpoint: cometapi({ apiKey: "k" }), maxRequestBytes: 1000 },
    "ConfigurationError: The request is 1001 bytes; maxRequestBytes is 1000: send smaller or fewer media, or shorten the history.",
  ],
  ["with no limit of the client's", 100_000, { endpoint: developer }, "sent 100000"],
])("a request %s", async (_name, bytes, options, outcome) => {
  expect(await sending(bytes, options)).toBe(outcome);
});

test.each<[string, number, Endpoint, boolean]>([
  ["as large as the service takes", LIMIT, developer, true],
  ["one byte larger", LIMIT + 1, developer, false],
  ["one byte larger on a gateway", LIMIT + 1, cometapi({ apiKey: "k" }), false],
  ["that large on Vertex", LIMIT + 1, vertex({ apiKey: "k", env: {} }), true],
])("where nobody set a limit, a request %s", (_name, bytes, to, passes) => {
  const check = (): void => checkRequestSize(bytes, undefined, to);
  if (passes) expect(check).not.toThrow();
  else expect(check).toThrow(`The request is ${LIMIT + 1} bytes; maxRequestBytes is ${LIMIT}: `);
});
