import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { drawn, pdfOf } from "../helpers/pdf.ts";

const HTML = "div p b i a table tr td li ul ol pre script style template svg math select option noscript title base img"
  .split(" ")
  .flatMap((name) => [`<${name}>`, `</${name}>`, `<${name} href="`, `<${name} src='x`]);

const TEXT = [
  "x",
  " ",
  "\n",
  "\t",
  "<",
  ">",
  "&",
  "&amp;",
  "&#0;",
  "&#x110000;",
  "\u0000",
  "\ud800",
  "é",
  "|",
  "`",
  "*",
  "-->",
  "<!--",
];

/** A page of repeated fragments, or of elements nested deeper than any stack. */
const html: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 19,
    arbitrary: fc
      .array(fc.tuple(fc.constantFrom(...HTML, ...TEXT), fc.constantFrom(1, 1, 1, 2, 50, 500)), { maxLength: 40 })
      .map((parts) => parts.map(([part, times]) => part.repeat(times)).join("")),
  },
  { weight: 1, arbitrary: fc.constantFrom("<div>", "<ul><li>", "<b><div>").map((open) => `${open.repeat(20_000)}x`) },
);

const OPERATORS =
  "BT ET Tf Td Tj TJ ' \" q Q cm Do BI ID EI sh gs BDC EMC /F1 /X 1 0 -1 1e99 (a) (( ) [ ] << >> <41> <zz /Filter null true R obj".split(
    " ",
  );

const content: fc.Arbitrary<string> = fc
  .array(fc.tuple(fc.constantFrom(...OPERATORS), fc.constantFrom(1, 1, 1, 3, 200)), { maxLength: 40 })
  .map((parts) => drawn("x") + parts.map(([part, times]) => ` ${part}`.repeat(times)).join(""));

/** A document with hostile content, with some of its bytes changed, removed or repeated. */
const pdf: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    content,
    fc.boolean(),
    fc.array(
      fc.tuple(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(30),
        fc.oneof(
          fc.constantFrom(...OPERATORS, "9999999999", "4294967295", "/Kids [2 0 R]", "/Length 1e9"),
          fc.string(),
        ),
        fc.constantFrom(1, 1, 1, 100),
      ),
      { maxLength: 6 },
    ),
  )
  .map(([text, isPacked, changes]) => {
    let bytes = isPacked ? pdfOf({ bytes: deflateSync(text), filter: "/Filter /FlateDecode" }) : pdfOf({ bytes: text });
    for (const [where, removed, added, times] of changes) {
      const at = Math.floor(where * bytes.length);
      bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(added.repeat(times)), bytes.subarray(at + removed)]);
    }
    return bytes;
  });

/** Hostile pages, the same for the same seed. */
export function hostilePages(seed: number, count: number): readonly string[] {
  return fc.sample(html, { seed, numRuns: count });
}

/** Hostile PDFs, the same for the same seed. */
export function hostilePdfs(seed: number, count: number): readonly Uint8Array[] {
  return fc.sample(pdf, { seed, numRuns: count });
}
