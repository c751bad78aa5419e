import { inferCapabilities } from "@pollux/core/model";
import * as fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { functionResponse, jsonSafe } from "../../src/tool/function-response.ts";
import { media } from "../../src/tool/media.ts";
import type { Part } from "../../src/wire/types/content.ts";
import { anyText } from "../helpers/any-text.ts";

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
        anyText({ maxLength: 300 }),
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
  test.each([
    ["gemini-4-hydrogen", 1, 0],
    ["gemini-3.8-flash", 0, 2],
  ])("a document of Word on %s: %d part inside, %d after", (model, inside, outside) => {
    const word = media("AAAA", "application/vnd.openxmlformats-officedocument.wordprocessingml.document");
    const { officeInput } = inferCapabilities(model);
    const { part, after } = functionResponse(call, { ok: true, output: word }, { ...options, officeInput });
    expect([part.functionResponse?.parts?.length ?? 0, after.length]).toEqual([inside, outside]);
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

function cyclic(): unknown {
  const node: Record<string, unknown> = { a: 1 };
  node["self"] = node;
  return node;
}

function cyclicMap(): unknown {
  const map = new Map<string, unknown>();
  map.set("self", map);
  return map;
}

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

class Money {
  #cents = 5;
  currency = "NOK";
  toJSON(): unknown {
    return { cents: this.#cents, at: new Date(0) };
  }
}

const shared = { s: 1 };
const revoked = Proxy.revocable({}, {});
revoked.revoke();

describe("any value becomes JSON", () => {
  test.each<[string, unknown, unknown]>([
    ["plain", { a: [1, "x", true, null] }, { a: [1, "x", true, null] }],
    ["undefined alone", undefined, null],
    ["function alone", () => 1, null],
    ["undefined inside", { a: undefined, b: [undefined] }, { b: [null] }],
    [
      "functions and symbols",
      { a() {}, b: Symbol("s"), [Symbol("k")]: 1, c: [Symbol("s"), () => 1] },
      { c: [null, null] },
    ],
    ["not finite", [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], ["NaN", "Infinity", "-Infinity"]],
    ["bigint", { id: 12345678901234567890n }, { id: "12345678901234567890" }],
    ["date", new Date(0), "1970-01-01T00:00:00.000Z"],
    ["no date", new Date(Number.NaN), "Invalid Date"],
    ["map of strings", new Map([["a", new Map([["b", 1n]])]]), { a: { b: "1" } }],
    [
      "map of others",
      new Map<unknown, unknown>([
        [1, "a"],
        [{ k: 1 }, "b"],
      ]),
      [
        [1, "a"],
        [{ k: 1 }, "b"],
      ],
    ],
    ["set", new Set([1, 2n]), [1, "2"]],
    ["error", new TypeError("bad"), { name: "TypeError", message: "bad" }],
    ["regexp", /a/g, "/a/g"],
    ["url", new URL("https://a.no/b"), "https://a.no/b"],
    ["search params", new URLSearchParams({ a: "1" }), "a=1"],
    [
      "bytes",
      { a: new Uint8Array(3), b: new ArrayBuffer(4), c: Buffer.from("hello"), d: new DataView(new ArrayBuffer(2)) },
      { a: "[3 bytes]", b: "[4 bytes]", c: "[5 bytes]", d: "[2 bytes]" },
    ],
    ["blob", new Blob(["abc"], { type: "text/plain" }), "[3 bytes of text/plain]"],
    ["numeric arrays", [new Float32Array([0.5]), new BigInt64Array([3n])], [[0.5], ["3"]]],
    ["boxed", [Object(1), Object("x"), Object(2n)], [1, "x", "2"]],
    ["toJSON", new Money(), { cents: 5, at: "1970-01-01T00:00:00.000Z" }],
    [
      "toJSON that throws",
      {
        a: {
          toJSON: () => {
            throw new Error("no");
          },
        },
      },
      { a: "[unreadable]" },
    ],
    [
      "toJSON that gives itself",
      (() => {
        const me = { a: 1, toJSON: (): unknown => me };
        return me;
      })(),
      { a: 1 },
    ],
    [
      "getter that throws",
      {
        get a(): never {
          throw new Error("locked");
        },
        b: 1,
      },
      { a: "[unreadable]", b: 1 },
    ],
    ["revoked proxy", { p: revoked.proxy }, { p: "[unreadable]" }],
    ["cycle", cyclic(), { a: 1, self: "[circular]" }],
    ["cycle through a map", cyclicMap(), { self: "[circular]" }],
    ["shared is no cycle", [shared, shared], [{ s: 1 }, { s: 1 }]],
    ["no prototype", Object.assign(Object.create(null) as object, { a: 1 }), { a: 1 }],
    ["lone surrogates", ["a\ud800b", "\udc00", "😀"], ["a\ufffdb", "\ufffd", "😀"]],
    ["sparse", Object.assign([1], { 2: 3 }), [1, null, 3]],
    ["media", { chart: media(new Uint8Array([1]), "image/png"), n: 1 }, { chart: "[media 1: image/png]", n: 1 }],
  ])("%s", (_name, value, expected) => {
    const safe = jsonSafe(value).value;
    expect(safe).toEqual(expected);
    expect(JSON.parse(JSON.stringify(safe))).toEqual(expected);
  });

  test("a key named __proto__ stays a key", () => {
    const safe = jsonSafe(JSON.parse('{"__proto__":{"polluted":1},"a":1}')).value;
    expect(JSON.stringify(safe)).toBe('{"__proto__":{"polluted":1},"a":1}');
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("depth ends at 64 levels", () => {
    expect(JSON.stringify(jsonSafe(deep(100_000)).value)).toBe(`${"[".repeat(64)}"[too deep]"${"]".repeat(64)}`);
  });

  test("a structure that never ends is left after a million values", () => {
    let fan: unknown = 1;
    for (let level = 0; level < 40; level++) fan = [fan, fan];
    expect(jsonSafe(fan, { maxCharacters: 100 })).toMatchObject({ endless: true, cut: true });
  });

  test("what is beyond the room is counted and not copied", () => {
    const safe = jsonSafe({ a: "x".repeat(50), b: ["y".repeat(1_000)] }, { maxCharacters: 100 });
    expect(safe.cut).toBe(true);
    expect(safe.characters).toBeGreaterThan(1_050);
    expect(JSON.stringify(safe.value).length).toBeLessThan(150);
    expect(jsonSafe({ a: 1 }, { maxCharacters: 100 })).toMatchObject({ cut: false, value: { a: 1 } });
  });

  test("media and $ref are reported", () => {
    const picture = media("aGk=", "image/png");
    expect(jsonSafe([picture, { $ref: "x" }])).toMatchObject({
      media: [picture],
      hasRef: true,
      value: ["[media 1: image/png]", { $ref: "x" }],
    });
    expect(jsonSafe({ a: "$ref" }).hasRef).toBe(false);
  });
});

test("any JSON comes through unchanged, and anything at all becomes JSON", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(jsonSafe(value).value);
      expect(text).toBe(
        JSON.stringify(JSON.parse(JSON.stringify(value))).replaceAll(/\\ud[89a-f][0-9a-f]{2}/g, "\ufffd"),
      );
    }),
  );
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withSparseArray: true,
    withNullPrototype: true,
    withBoxedValues: true,
    maxDepth: 5,
  });
  fc.assert(
    fc.property(anything, fc.integer({ min: 1, max: 300 }), (value, maxCharacters) => {
      const safe = jsonSafe(value).value;
      expect(JSON.parse(JSON.stringify(safe))).toEqual(JSON.parse(JSON.stringify(jsonSafe(safe).value)));
      JSON.parse(JSON.stringify(jsonSafe(value, { maxCharacters }).value));
    }),
  );
});
