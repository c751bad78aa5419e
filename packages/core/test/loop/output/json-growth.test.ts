import fc from "fast-check";
import { PartialOutput } from "@pollux/core";
import { describe, expect, test } from "vitest";
import { JsonGrowth, type OutputDelta } from "../../../src/loop/output/json-growth.ts";

/** The value after each piece, as a reader of the events has it. */
function valuesOf(pieces: readonly string[]): { values: unknown[]; deltas: (OutputDelta | undefined)[] } {
  const growth = new JsonGrowth();
  const output = new PartialOutput();
  const values: unknown[] = [];
  const deltas: (OutputDelta | undefined)[] = [];
  const take = (delta: OutputDelta | undefined): void => {
    // As it would be in another process.
    if (delta !== undefined) output.read(JSON.parse(JSON.stringify({ type: "output-delta", turn: 1, ...delta })));
    deltas.push(delta);
    values.push(output.value);
  };
  for (const piece of pieces) take(growth.add(piece));
  take(growth.end());
  return { values, deltas };
}

/** True when `after` is `before` with more members, more elements or more text. */
function growsInto(before: unknown, after: unknown): boolean {
  if (before === undefined) return true;
  if (typeof before === "string") return typeof after === "string" && after.startsWith(before);
  if (Array.isArray(before))
    return Array.isArray(after) && before.every((item, index) => index in after && growsInto(item, after[index]));
  if (typeof before === "object" && before !== null)
    return (
      typeof after === "object" &&
      after !== null &&
      Object.entries(before).every(([key, value]) => {
        const member = Object.getOwnPropertyDescriptor(after, key);
        return member !== undefined && growsInto(value, member.value);
      })
    );
  return Object.is(before, after);
}

const letters = fc.constantFrom("a", '"', "\\", "é", "漢", "😀", "\n", "\u0000", "\ud800", "}", "]", ",", "`", " ");
const strings = fc.string({ unit: letters, maxLength: 12 });
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    strings,
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (Object.is(number, -0) ? 0 : number)),
    fc.constantFrom(true, false, null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.oneof(strings, fc.constantFrom("__proto__", "constructor")), tie("value"), { maxKeys: 4 }),
  ),
})).value;

/** JSON in one of its spellings. */
const texts = fc
  .tuple(json, fc.constantFrom(0, 2, "\t"), fc.boolean(), fc.boolean())
  .map(([value, indent, isEscaped, isFenced]) => {
    const plain = JSON.stringify(value, null, indent);
    const text = isEscaped
      ? plain.replaceAll(/[^\u0000-\u007f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)
      : plain;
    return { value: JSON.parse(plain) as unknown, text: isFenced ? `\n\`\`\`json\n${text}\n\`\`\`\n` : text };
  });

function cut(text: string, cuts: readonly number[]): string[] {
  const places = [...new Set(cuts.map((at) => at % (text.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...places].map((from, index) => text.slice(from, places[index] ?? text.length));
}

describe("any text, cut anywhere", () => {
  test("grows into the value, and shows the same at the same place whatever the cuts", () => {
    fc.assert(
      fc.property(texts, fc.array(fc.nat()), ({ value, text }, cuts) => {
        const pieces = cut(text, cuts);
        const { values, deltas } = valuesOf(pieces);
        expect(values.at(-1)).toEqual(value);
        expect(JSON.stringify(values.at(-1))).toBe(JSON.stringify(value));
        for (const [index, after] of values.entries()) expect(growsInto(values[index - 1], after)).toBe(true);
        expect(deltas.findLast((delta) => delta !== undefined)?.open).toBeUndefined();
        let read = "";
        for (const [index, piece] of pieces.entries()) {
          read += piece;
          const growth = new JsonGrowth();
          const atOnce = new PartialOutput();
          const delta = growth.add(read);
          if (delta !== undefined) atOnce.read({ type: "output-delta", turn: 1, ...delta });
          expect(values[index]).toEqual(atOnce.value);
          // And what is open.
          if (deltas[index] !== undefined) expect(deltas[index]?.open).toEqual(delta?.open);
        }
      }),
    );
  });

  test("a text that is no JSON shows what came before the mistake", () => {
    const shown = (text: string): unknown => valuesOf(text.match(/./gsu) ?? []).values.at(-1);
    expect(
      ["Here is", "the end", "[1, x", '{"a":1 "b":2}', "{a:1}", '["\\x"]', "```ts\n[1]", "-", "1 2", "[1}", ""].map(
        shown,
      ),
    ).toEqual([undefined, undefined, [1], { a: 1 }, {}, [""], undefined, undefined, 1, [1], undefined]);
  });
});

describe("one delta", () => {
  test("has the shortest paths that say what is new, and names what is open", () => {
    const growth = new JsonGrowth();
    expect(growth.add('{"days":[{"title":"Os')).toEqual({
      changes: [{ path: [], value: { days: [{ title: "Os" }] } }],
      open: ["days", 0, "title"],
    });
    expect(growth.add("lo")).toEqual({
      changes: [{ path: ["days", 0, "title"], append: "lo" }],
      open: ["days", 0, "title"],
    });
    expect(growth.add('","n":1')).toEqual({ changes: [], open: ["days", 0] });
    expect(growth.add('2},{"title":"B","n":2},{')).toEqual({
      changes: [
        { path: ["days", 0, "n"], value: 12 },
        { path: ["days", 1], value: { title: "B", n: 2 } },
        { path: ["days", 2], value: {} },
      ],
      open: ["days", 2],
    });
    expect(growth.add(" ")).toBeUndefined();
    expect(growth.add("}]")).toEqual({ changes: [], open: [] });
    expect(growth.add("}")).toEqual({ changes: [] });
    expect(growth.add("\n")).toBeUndefined();
    expect(growth.end()).toBeUndefined();
  });

  test("never has half of a character", () => {
    expect(valuesOf(['"a\ud83d', "\ude00", "\\ud83d", '\\ude00"']).values).toEqual([
      "a",
      "a😀",
      "a😀",
      "a😀😀",
      "a😀😀",
    ]);
  });

  test("has a value nested deeper than 64 levels once it is whole", () => {
    const deep = `${"[".repeat(1000)}"x"${"]".repeat(1000)}`;
    const { values, deltas } = valuesOf(deep.match(/./g) ?? []);
    expect(JSON.stringify(values.at(-1))).toBe(deep);
    expect(JSON.stringify(values[1000])).toBe(`${"[".repeat(64)}${"]".repeat(64)}`);
    expect(Math.max(...deltas.map((delta) => delta?.open?.length ?? 0))).toBeLessThanOrEqual(64);
  });
});

describe("the cost", () => {
  /** Characters of all deltas, for a list of so many objects that arrives in small pieces. */
  function sizeOf(elements: number): number {
    const text = JSON.stringify(
      Array.from({ length: elements }, (_, index) => ({ title: `Day ${index}`, text: "x".repeat(50) })),
    );
    const { deltas } = valuesOf(text.match(/.{1,7}/g) ?? []);
    return deltas.reduce((sum, delta) => sum + (delta === undefined ? 0 : JSON.stringify(delta).length), 0);
  }

  test("of twice the output is twice as high", () => {
    const ratio = sizeOf(400) / sizeOf(200);
    expect(ratio).toBeGreaterThan(1.8);
    expect(ratio).toBeLessThan(2.2);
  });

  test("of a piece does not depend on what came before: each character is read once", () => {
    let read = 0;
    const piece = (text: string): string =>
      // Counts how often a character is looked at.
      new Proxy(Object(text) as object, {
        get: (target, key) => {
          if (typeof key === "string" && /^\d+$/.test(key)) read++;
          const member: unknown = Reflect.get(target, key, target);
          if (typeof member !== "function") return member;
          if (key === "charAt") read++;
          return (...args: readonly unknown[]): unknown => Reflect.apply(member, text, args);
        },
      }) as unknown as string;
    const growth = new JsonGrowth();
    const text = JSON.stringify(Array.from({ length: 300 }, (_, index) => ({ title: `Day ${index}`, n: index })));
    for (let at = 0; at < text.length; at += 5) growth.add(piece(text.slice(at, at + 5)));
    expect(read).toBeGreaterThan(text.length / 2);
    // A quote or a backslash is looked at by up to three comparisons.
    expect(read).toBeLessThan(text.length * 4);
  });

  test("of a snapshot is that of the open values: whole ones stay the same object", () => {
    const growth = new JsonGrowth();
    const output = new PartialOutput<{ days: { title: string; tags: string[] }[] }>();
    const snapshots = ['{"days":[{"title":"a","tags":["x"]},{"title":"b","ta', 'gs":["y"', ',"z"]},{"title":"c'].map(
      (piece) => {
        const delta = growth.add(piece);
        if (delta !== undefined) output.read({ type: "output-delta", turn: 1, ...delta });
        return output.value;
      },
    );
    const [first, second, third] = snapshots;
    expect(first).toEqual({ days: [{ title: "a", tags: ["x"] }, { title: "b" }] });
    expect(second).toEqual({
      days: [
        { title: "a", tags: ["x"] },
        { title: "b", tags: ["y"] },
      ],
    });
    expect(third?.days?.[1]).toEqual({ title: "b", tags: ["y", "z"] });
    expect(second?.days?.[0]).toBe(first?.days?.[0]);
    expect(third?.days?.[0]).toBe(first?.days?.[0]);
    expect(second).not.toBe(first);
  });

  test("a snapshot and an event are never changed later", () => {
    const growth = new JsonGrowth();
    const output = new PartialOutput();
    const kept: { value: unknown; copy: string }[] = [];
    for (const piece of '{"a":[1,{"b":"x"}],"c":{"d":[]}}'.match(/.{1,3}/g) ?? []) {
      const delta = growth.add(piece);
      if (delta === undefined) continue;
      output.read({ type: "output-delta", turn: 1, ...delta });
      for (const value of [delta, output.value]) kept.push({ value, copy: JSON.stringify(value) });
    }
    for (const { value, copy } of kept) expect(JSON.stringify(value)).toBe(copy);
  });
});
