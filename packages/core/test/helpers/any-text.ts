import * as fc from "fast-check";

/**
 * Text of any characters except lone surrogates, with plain ones among them. The same as `fc.string({ unit: "binary" })`, which takes
 * most of a second to build its table of characters.
 */
export function anyText(limits: Pick<fc.StringConstraints, "minLength" | "maxLength"> = {}): fc.Arbitrary<string> {
  return fc.string({ ...limits, unit: fc.oneof(CHARACTERS, PLAIN) });
}

const CHARACTERS = fc
  .oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff }))
  .map((code) => String.fromCodePoint(code));

const PLAIN = fc.integer({ min: 0, max: 0x7f }).map((code) => String.fromCodePoint(code));
