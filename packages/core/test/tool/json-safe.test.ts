import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonSafe } from "../../src/tool/json-safe.ts";
import { media } from "../../src/tool/media.ts";

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
      { a: "[unreadable: no]" },
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
      { a: "[unreadable: locked]", b: 1 },
    ],
    [
      "revoked proxy",
      { p: revoked.proxy },
      { p: "[unreadable: Cannot perform 'getPrototypeOf' on a proxy that has been revoked]" },
    ],
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
