import * as fc from "fast-check";
import { expect, test } from "vitest";
import { byteLength, byteOffsets } from "../../src/grounding/byte-offsets.ts";

const text = fc.string({ unit: "grapheme", maxLength: 60 });

test("maps every character's first byte to its index, whatever the script", () => {
  fc.assert(
    fc.property(text, (value) => {
      const offsets = byteOffsets(value);
      expect(offsets.bytes).toBe(new TextEncoder().encode(value).length);
      let index = 0;
      for (const character of value) {
        const byte = byteLength(value.slice(0, index));
        expect([offsets.isBoundary(byte), offsets.indexAt(byte)]).toEqual([true, index]);
        index += character.length;
      }
      expect([offsets.isBoundary(offsets.bytes), offsets.indexAt(offsets.bytes)]).toEqual([true, value.length]);
    }),
  );
});

test("gives the character that a byte lies in", () => {
  const offsets = byteOffsets("é漢😀.");
  expect([0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 99, -1].map((byte) => offsets.indexAt(byte))).toEqual([
    0, 0, 1, 1, 1, 2, 2, 2, 4, 5, 5, 0,
  ]);
  expect([0, 1, 2, 3, 5, 6, 9, 10, 11, -1, 0.5].map((byte) => offsets.isBoundary(byte))).toEqual([
    true,
    false,
    true,
    false,
    true,
    false,
    true,
    true,
    false,
    false,
    false,
  ]);
});

test("counts a lone surrogate as the replacement character it is sent as", () => {
  expect(byteLength("a\ud800b")).toBe(new TextEncoder().encode("a\ud800b").length);
});
