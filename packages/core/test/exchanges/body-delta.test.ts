import fc from "fast-check";
import { expect, test } from "vitest";
import { bodyDelta, buildBody } from "../../src/exchanges/body-delta.ts";
import type { BodyDelta } from "../../src/exchanges/entries.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const HEAD = `{"systemInstruction":"${"Plan trips. ".repeat(10)}","contents":[`;

/** Each body as a delta from those before it, through JSON as in a log. */
function written(bodies: readonly string[]): BodyDelta[] {
  const known: { position: number; body: Uint8Array }[] = [];
  return bodies.map((text, position) => {
    const body = encode(text);
    const delta = bodyDelta(body, known);
    known.push({ position, body });
    return JSON.parse(JSON.stringify(delta)) as BodyDelta;
  });
}

const bytes = encode(HEAD).length;
test.each<[string, readonly string[], Partial<BodyDelta>]>([
  ["alone, is written whole", ["{}"], { bytes: 2, add: "{}" }],
  ["with little in common, is written whole", ['{"a":1}', '{"a":2}'], { bytes: 7, add: '{"a":2}' }],
  [
    "that grows, is written as what is new between its beginning and its end",
    [`${HEAD}1],"tail":true}`, `${HEAD}1,2],"tail":true}`],
    { base: 0, keep: bytes + 1, end: 14, add: ",2" },
  ],
  [
    "with a character that begins like another one, is split before it",
    [`${HEAD}"é"]}`, `${HEAD}"è"]}`],
    { base: 0, keep: bytes + 1, end: 3, add: "è" },
  ],
  [
    "with a character that ends like another one, is split after it",
    [`${HEAD}"é"]}`, `${HEAD}"©"]}`],
    { base: 0, keep: bytes + 1, end: 3, add: "©" },
  ],
  [
    "is compared with the one that begins most like it",
    [`${HEAD}1,2,3]}`, `${HEAD}9]}`, `${HEAD}1,2,4]}`],
    { base: 0, keep: bytes + 4, end: 2, add: "4" },
  ],
  [
    "that repeats itself, shares no byte twice",
    [`${HEAD}1,1]}`, `${HEAD}1,1,1]}`],
    { base: 0, keep: bytes + 3, end: 2, add: ",1" },
  ],
])("a body %s", (_name, bodies, expected) => {
  expect(written(bodies).at(-1)).toMatchObject(expected);
});

test("bodies are rebuilt exactly, however they change", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "é", "è", "漢", "🌍", '"', "\uFEFF", "\u0000"), maxLength: 12 });
  const edit = fc.record({ at: fc.nat(200), drop: fc.nat(40), add: text });
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 12 }), (edits) => {
      const bodies = [`${HEAD}${"[é,漢,🌍]".repeat(12)}]}`];
      for (const { at, drop, add } of edits) {
        // By characters, since half of one cannot be sent.
        const last = Array.from(bodies.at(-1) ?? "");
        bodies.push([...last.slice(0, at), add, ...last.slice(at + drop)].join(""));
      }
      const deltas = written(bodies);
      expect(
        bodies.map((_, index) =>
          new TextDecoder("utf-8", { ignoreBOM: true }).decode(buildBody(index, (at) => deltas[at])),
        ),
      ).toEqual(bodies);
    }),
  );
});

test("one body of a long log is rebuilt in one pass over its bases", () => {
  const bodies = Array.from(
    { length: 2000 },
    (_, turn) => `${HEAD}${Array.from({ length: turn }, () => "[]").join()}],"tail":1}`,
  );
  const deltas: BodyDelta[] = [];
  let last: Uint8Array | undefined;
  for (const [position, text] of bodies.entries()) {
    const body = encode(text);
    deltas.push(bodyDelta(body, last === undefined ? [] : [{ position: position - 1, body: last }]));
    last = body;
  }
  let looks = 0;
  const built = buildBody(1999, (at) => (looks++, deltas[at]));
  expect(new TextDecoder().decode(built)).toBe(bodies[1999]);
  expect(looks).toBe(2000);
});

const whole: BodyDelta = { bytes: 4, add: "abcd" };
test.each<[string, readonly (BodyDelta | undefined)[]]>([
  ["that is not there", []],
  ["with another length", [{ bytes: 3, add: "abcd" }]],
  ["on a base that is missing", [undefined, { bytes: 4, base: 0, keep: 4, add: "" }]],
  ["on a base that is too short", [whole, { bytes: 9, base: 0, keep: 9, add: "" }]],
  ["on itself", [whole, { bytes: 4, base: 1, keep: 4, add: "" }]],
  ["on a later one", [whole, { bytes: 4, base: 2, keep: 4, add: "" }, whole]],
])("a body %s is an error", (_name, deltas) => {
  expect(() => buildBody(Math.min(1, Math.max(0, deltas.length - 1)), (at) => deltas[at])).toThrow(RangeError);
});
