import * as fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { functionResponse } from "../../src/tool/function-response.ts";
import { media } from "../../src/tool/media.ts";
import type { Part } from "../../src/wire/types/content.ts";

const call = { id: "a1b2c3d4", name: "get_chart", args: {} };
const options = { mediaInFunctionResponses: true, maxResultBytes: 200 };

function output(value: unknown, maxResultBytes = 200): unknown {
  return functionResponse(call, { ok: true, output: value }, { ...options, maxResultBytes }).part.functionResponse
    ?.response["output"];
}

function bytes(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}

describe("the response", () => {
  test("carries the value under output, id and name as they came", () => {
    expect(functionResponse(call, { ok: true, output: { tempC: 9 } }, options)).toEqual({
      part: { functionResponse: { id: "a1b2c3d4", name: "get_chart", response: { output: { tempC: 9 } } } },
      after: [],
    });
  });
  test("carries a failure under error", () => {
    expect(functionResponse(call, { ok: false, kind: "failed", message: "no such city" }, options).part).toEqual({
      functionResponse: { id: "a1b2c3d4", name: "get_chart", response: { error: "no such city" } },
    });
  });
  test.each([{ name: "f" }, { name: "f", id: "" }, { name: "f", id: undefined }])(
    "has no id when the call had none: %j",
    (bare) => {
      expect(JSON.stringify(functionResponse(bare, { ok: true, output: 1 }, options).part)).toBe(
        '{"functionResponse":{"name":"f","response":{"output":1}}}',
      );
    },
  );
  test.each<[string, unknown, unknown]>([
    ["nothing", undefined, null],
    ["a string", "x", "x"],
    ["an array", [1], [1]],
    ["an object with an error key", { error: "mine" }, { error: "mine" }],
    ["bigint", 5n, "5"],
    ["a JSON Schema", { properties: { a: { $ref: "#/x" } } }, '{"properties":{"a":{"$ref":"#/x"}}}'],
  ])("wraps %s", (_name, value, expected) => {
    expect(output(value)).toEqual(expected);
  });
});

describe("a result that is too large", () => {
  test("text is cut with a note that says how long it was", () => {
    expect(output("x".repeat(1_000), 12)).toBe(
      `${"x".repeat(10)}\n[truncated: these are the first 10 of 1000 characters]`,
    );
  });
  test("text that just fits is whole", () => {
    expect(output("x".repeat(10), 12)).toBe("x".repeat(10));
    expect(output("\n".repeat(5), 12)).toBe("\n".repeat(5));
    expect(output("\n".repeat(6), 12)).toContain("[truncated: these are the first 5 of 6 characters]");
  });
  test("text is never cut inside a character", () => {
    expect(output("😀😀", 8)).toBe("😀\n[truncated: these are the first 2 of 4 characters]");
    expect(output("åå", 5)).toBe("å\n[truncated: these are the first 1 of 2 characters]");
  });
  test("a structure is cut as its JSON text", () => {
    const rows = Array.from({ length: 20 }, (_, id) => ({ id }));
    expect(output(rows, 20)).toMatch(
      /^\[\{"id":0\},\{"id":1\},\{\n\[truncated: these are the first 20 of about \d+ characters of JSON\]$/,
    );
  });
  test("nothing is left out of the start of a structure that is kept", () => {
    expect(output([[[{ "": false }]]], 5)).toMatch(/^\[\[\[\{"\n\[truncated: /);
  });
  test("what is kept of a structure is the start of its real JSON text", () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue({ maxDepth: 4 }), { minLength: 1 }),
        fc.integer({ min: 1, max: 120 }),
        (value, max) => {
          const out = output(value, max);
          const json = JSON.stringify(value);
          if (typeof out !== "string") expect(JSON.stringify(out)).toBe(json);
          else expect(json.startsWith(out.slice(0, out.lastIndexOf("\n[truncated: ")))).toBe(true);
        },
      ),
    );
  });
  test("a structure that just fits is whole", () => {
    const value = { a: ["x", 1] };
    expect(output(value, bytes(value))).toEqual(value);
    expect(output(value, bytes(value) - 1)).toContain("[truncated");
  });
  test("an error is cut too", () => {
    const { part } = functionResponse(
      call,
      { ok: false, kind: "failed", message: "e".repeat(500) },
      { ...options, maxResultBytes: 12 },
    );
    expect(part.functionResponse?.response).toEqual({
      error: `${"e".repeat(10)}\n[truncated: these are the first 10 of 500 characters]`,
    });
  });
  test.each([
    ["text", (huge: string): unknown => huge],
    ["a structure", (huge: string): unknown => ({ a: [huge, huge] })],
  ])("%s is cut without being read or written out beyond what is kept", (_name, made) => {
    const LIMIT = 1_000;
    const value = made("x".repeat(1_000_000));
    const spies = [
      vi.spyOn(JSON, "stringify"),
      vi.spyOn(TextEncoder.prototype, "encode"),
      // Newer than the type library.
      vi.spyOn(String.prototype as unknown as { isWellFormed(): boolean }, "isWellFormed"),
    ];
    const characters = vi.spyOn(String.prototype, "codePointAt");
    const out = output(value, LIMIT);
    const lengths = spies.flatMap(({ mock }) =>
      [...mock.calls.flat(), ...mock.contexts, ...mock.results.map((result) => result.value as unknown)].map((one) =>
        typeof one === "string" || one instanceof Uint8Array ? one.length : 0,
      ),
    );
    const read = characters.mock.calls.length;
    vi.restoreAllMocks();
    expect(Math.max(...lengths), "the longest text that was gone through").toBeLessThanOrEqual(3.5 * LIMIT);
    expect(read, "characters that were counted").toBeLessThanOrEqual(LIMIT + 1);
    expect(bytes(out)).toBeLessThan(LIMIT + 150);
  });
  test("no value at all exceeds the limit by more than the note, and all of it is JSON", () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withMap: true, withSet: true, withDate: true }),
        fc.string({ unit: "binary", maxLength: 300 }),
        (value, text) => {
          for (const each of [value, text, [text, value]]) {
            const out = output(each, 100);
            // A cut structure travels as a string, whose quotes are escaped once more.
            const raw = typeof out === "string" ? out : JSON.stringify(out);
            expect(new TextEncoder().encode(raw).length).toBeLessThanOrEqual(100 + 120);
            JSON.parse(JSON.stringify(out));
          }
        },
      ),
    );
  });
});

describe("media", () => {
  const png = media(new Uint8Array([1, 2, 3]), "image/png", { displayName: "chart.png" });
  const mp3 = media("AAAA", "audio/mpeg");
  const file = media(new URL("https://x.no/a.pdf"), "application/pdf");

  test("stands inside the response where the model takes it", () => {
    expect(functionResponse(call, { ok: true, output: { n: 1, png, file } }, options)).toEqual({
      part: {
        functionResponse: {
          id: "a1b2c3d4",
          name: "get_chart",
          response: { output: { n: 1, png: "[media 1: image/png]", file: "[media 2: application/pdf]" } },
          parts: [
            { inlineData: { mimeType: "image/png", data: "AQID", displayName: "chart.png" } },
            { fileData: { mimeType: "application/pdf", fileUri: "https://x.no/a.pdf" } },
          ],
        },
      },
      after: [],
    });
  });
  test("follows the responses where the model does not take it there", () => {
    const after: Part[] = [
      { text: "[media 1] from the result of get_chart (call a1b2c3d4):" },
      { inlineData: { mimeType: "image/png", data: "AQID" } },
    ];
    expect(functionResponse(call, { ok: true, output: png }, { ...options, mediaInFunctionResponses: false })).toEqual({
      part: { functionResponse: { id: "a1b2c3d4", name: "get_chart", response: { output: "[media 1: image/png]" } } },
      after,
    });
  });
  test("audio follows in any case, and keeps its number", () => {
    const { part, after } = functionResponse({ name: "f" }, { ok: true, output: [png, mp3] }, options);
    expect(part.functionResponse?.parts).toHaveLength(1);
    expect(after).toEqual([
      { text: "[media 2] from the result of f:" },
      { inlineData: { mimeType: "audio/mpeg", data: "AAAA" } },
    ]);
  });
  test("does not count as text", () => {
    const large = media(new Uint8Array(10_000), "image/png");
    expect(
      functionResponse(call, { ok: true, output: { large, n: 1 } }, options).part.functionResponse?.response,
    ).toEqual({ output: { large: "[media 1: image/png]", n: 1 } });
  });
});
