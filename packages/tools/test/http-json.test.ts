import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { ToolContext } from "@pollux/core";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { growthOf } from "../../core/test/helpers/growth.ts";
import { indentJson, isDeepJson } from "../src/http/indent-json.ts";
import { textOfHtml } from "../src/http/text-of-html.ts";
import { httpRequest, webFetch } from "../src/http.ts";
import { openApiTools } from "../src/openapi.ts";
import { use } from "./mcp/support.ts";
import { processorTime } from "./helpers/processor-time.ts";

async function serve(body: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "application/json", ...headers }).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const LOCAL = { allowPrivate: true, ports: "any", timeoutMs: 60_000 } as const;

async function run(tool: ReturnType<typeof webFetch> | ReturnType<typeof httpRequest>, url: string): Promise<any> {
  // The tools read nothing else of the context.
  const context = { signal: new AbortController().signal, idempotencyKey: "k" } as ToolContext;
  return await tool.run(await tool.parse({ url }), context);
}

const wide = (levels: number, items: number): string =>
  `${"[".repeat(levels)}${"0,".repeat(items)}0${"]".repeat(levels)}`;

describe("indentation", () => {
  test("is that of JSON.stringify, whatever the white space was", () => {
    const value = fc.jsonValue({ maxDepth: 6 }).map((one) => JSON.parse(JSON.stringify(one)) as unknown);
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 1, "\t", "\r\n "), (one, space) => {
        const text = JSON.stringify(one, null, space);
        return indentJson(` ${text}\n`) === JSON.stringify(one, null, 2);
      }),
    );
  });

  test("keeps numbers as they are written, and unescapes what need not be escaped", () => {
    expect(indentJson(String.raw`{"id":12345678901234567890,"z":-0,"n":[1e400],"u":"\u00e9\/\n"}`)).toBe(
      String.raw`{
  "id": 12345678901234567890,
  "z": -0,
  "n": [
    1e400
  ],
  "u": "é/\n"
}`,
    );
  });

  test.each([
    "",
    "[",
    "]",
    "[1",
    "[1,]",
    "[,1]",
    "[1}",
    "{]",
    "1 2",
    "{}{}",
    "1,2",
    ":",
    "[01]",
    "[nul]",
    "[1 2]",
    '"a',
    '["\\',
    String.raw`["\x"]`,
    "{broken",
    wide(65, 1),
  ])("of %j is not tried", (text) => {
    expect(indentJson(text)).toBe(undefined);
  });

  test("of any text never throws", () => {
    const piece = fc.constantFrom("[", "]", "{", "}", ",", ":", '"', "\\", "1", "true", " ", '"a":', "\ud800", "\\u00");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join("");
        const indented = indentJson(text);
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        return isJson ? indented !== undefined : typeof indented !== "number";
      }),
      { numRuns: 2_000 },
    );
  });

  test.each<[string, (size: number) => string]>([
    ["a list", (size) => wide(1, size)],
    ["a list in many lists", (size) => wide(64, size)],
    ["a string of escapes", (size) => `"${"\\u0000".repeat(size)}"`],
    ["open strings", (size) => '"\\'.repeat(size)],
  ])("takes time in proportion to the length of %s", (_what, make) => {
    const texts = new Map([20_000, 160_000].map((size) => [size, make(size)]));
    // Eight times as much, or sixty-four where each place is compared with all others.
    expect(growthOf((size) => indentJson(texts.get(size) ?? ""), 20_000, 8)).toBeLessThan(30);
  });
});

test("brackets in strings are no levels", () => {
  const deep = `["${"]".repeat(500)}\\"",${"[".repeat(300)}${"]".repeat(300)}]`;
  expect([isDeepJson(deep, 301), isDeepJson(deep, 300)]).toEqual([false, true]);
  expect(isDeepJson(JSON.stringify("[{".repeat(500)), 1)).toBe(false);
});

describe.each([
  ["a thousand lists around a million numbers", wide(1_000, 1_000_000)],
  ["two million lists", "[".repeat(2_000_000) + "]".repeat(2_000_000)],
])("%s as JSON", (_what, body) => {
  const plain = "x".repeat(body.length);
  // Of the time of a text: indenting the first took a thousand times as long, parsing the second, twenty times.
  const ALLOWED = 10;

  test.each([
    ["web_fetch", webFetch(LOCAL)],
    ["http_request", httpRequest(LOCAL)],
  ] as const)("are text for %s", async (_name, tool) => {
    const [url, other] = [await serve(body), await serve(plain)];
    await run(tool, other);
    const usual = await processorTime(() => run(tool, other));
    let page: unknown;
    const took = await processorTime(async () => (page = await run(tool, url)));
    expect(page).toMatchObject({ content: body.slice(0, 20_000) });
    expect(took).toBeLessThan(ALLOWED * Math.max(20, usual));
  });

  test("are text for an operation of an API", async () => {
    const paths = { "/a": { get: { operationId: "a", responses: {} } } };
    const toolsAt = (baseUrl: string) => openApiTools({ openapi: "3.0.0", paths }, { baseUrl }).tools;
    const [tools, others] = [toolsAt(await serve(body)), toolsAt(await serve(plain))];
    await use(others, "a");
    const usual = await processorTime(() => use(others, "a"));
    let outcome: unknown;
    const took = await processorTime(async () => (outcome = await use(tools, "a")));
    expect(outcome).toMatchObject({ ok: true, output: { body: expect.stringMatching(/^\[{1000}/) } });
    expect(took).toBeLessThan(ALLOWED * Math.max(20, usual));
  });
});

describe("a service that repeats the key that http_request sends", () => {
  const KEY = 'k3y/of="the"+shop';
  const tool = httpRequest({ ...LOCAL, allow: ["127.0.0.1"], headers: { "x-shop": KEY, accept: "text/plain" } });
  const echoes: readonly (readonly [string, string])[] = [
    ["as JSON", JSON.stringify({ said: KEY, [KEY]: [`sent ${KEY}`] })],
    ["as JSON with all signs escaped", JSON.stringify({ said: KEY }).replaceAll("/", "\\/").replaceAll("=", "\\u003d")],
    ["in base64", JSON.stringify({ said: btoa(`x${KEY}`) })],
    ["in a long answer", JSON.stringify({ fill: "x".repeat(19_975), said: KEY })],
    ["in an answer that is not JSON", `no: ${encodeURIComponent(KEY)}`],
  ];

  test.each(echoes)("%s does not tell it to the model", async (_how, body) => {
    const url = await serve(body, {
      "x-request-id": `id ${KEY}`,
      link: `<https://a.test/?key=${encodeURIComponent(KEY)}>`,
    });
    const result = JSON.stringify(await run(tool, `${url}/?key=${encodeURIComponent(KEY)}`));
    expect(result).toContain("[redacted]");
    expect(result).not.toMatch(/k3y|shop|JJ1b2Y|M3kvb2|N5L29m/);
  });

  test("still says which type it accepts", async () => {
    expect(await run(tool, await serve('{"type":"text/plain"}'))).toMatchObject({ json: { type: "text/plain" } });
  });
});

test("the text of a page needs no more stack, however many tags are in it", () => {
  expect(textOfHtml(`a<script>${"<".repeat(5_000_000)}</SCRIPT >b<style>x</style>c<ScRipt>d`)).toBe("a b c");
});
