import fc from "fast-check";
import { expect, test } from "vitest";
import { type BodyDelta, bodyDelta, buildBody, type KnownBody } from "../../src/exchanges/body-delta.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const HEAD = `{"systemInstruction":"${"Plan trips. ".repeat(10)}","contents":[`;

/** Each body as a delta from those before it, through JSON as in a log. */
function written(bodies: readonly string[]): BodyDelta[] {
  const known: KnownBody[] = [];
  return bodies.map((text, position) => {
    const body = encode(text);
    const delta = bodyDelta(body, known);
    known.push({ position, body });
    return JSON.parse(JSON.stringify(delta)) as BodyDelta;
  });
}

const head = encode(HEAD).length;
const TALK = "[1,2,3],".repeat(20);
/** Other instructions of another length. */
const OTHER = HEAD.replace("Plan", "Never plan");
test.each<[string, readonly string[], Partial<BodyDelta>]>([
  ["alone, is written whole", ["{}"], { bytes: 2, parts: ["{}"] }],
  ["with little in common, is written whole", ['{"a":1}', '{"a":2}'], { bytes: 7, parts: ['{"a":2}'] }],
  [
    "that is sent again, is written as such",
    [`${HEAD}1]}`, `${HEAD}1]}`],
    { base: 0, shared: head + 3, parts: [[0, head + 3]] },
  ],
  [
    "that grows, is written as what is new between its beginning and its end",
    [`${HEAD}1],"tail":true}`, `${HEAD}1,2],"tail":true}`],
    { base: 0, shared: head + 1, parts: [[0, head + 1], ",2", [head + 1, head + 15]] },
  ],
  [
    "with another beginning, is written without the contents that follow it",
    [`${HEAD}${TALK}4]}`, `${OTHER}${TALK}4,5]}`],
    {
      base: 0,
      parts: [
        [0, HEAD.indexOf("Plan")],
        OTHER.slice(HEAD.indexOf("Plan"), OTHER.indexOf('"contents"')),
        [HEAD.indexOf('"contents"'), head + TALK.length + 1],
        ",5",
        [head + TALK.length + 1, head + TALK.length + 3],
      ],
    },
  ],
  [
    "with a character that begins like another one, is split before it",
    [`${HEAD}"é"]}`, `${HEAD}"è"]}`],
    { base: 0, parts: [[0, head + 1], "è", [head + 3, head + 6]] },
  ],
  [
    "with a character that ends like another one, is split after it",
    [`${HEAD}"é"]}`, `${HEAD}"©"]}`],
    { base: 0, parts: [[0, head + 1], "©", [head + 3, head + 6]] },
  ],
  [
    "is compared with the one that begins most like it",
    [`${HEAD}1,2,3]}`, `${OTHER}9]}`, `${HEAD}1,2,4]}`],
    { base: 0, parts: [[0, head + 4], "4", [head + 5, head + 7]] },
  ],
  [
    "that repeats itself, shares no byte twice",
    [`${HEAD}1,1]}`, `${HEAD}1,1,1]}`],
    { base: 0, parts: [[0, head + 3], ",1", [head + 3, head + 5]] },
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

test("one body of a long log is rebuilt in one pass over its bases, and stays in few pieces", () => {
  const [turns, deltas]: [number, BodyDelta[]] = [2000, []];
  let contents = "";
  let known: KnownBody | undefined;
  for (let position = 0; position < turns; position++) {
    // Every tenth time, the instructions change.
    contents += `${position === 0 ? "" : ","}{"role":"user","parts":[{"text":"${position}"}]}`;
    const body = encode(`${position % 10 === 0 ? OTHER : HEAD}${contents}],"tail":1}`);
    const delta = bodyDelta(body, known === undefined ? [] : [known]);
    deltas.push(delta);
    known = { position, body };
  }
  let looks = 0;
  const built = buildBody(turns - 1, (at) => (looks++, deltas[at]));
  expect(new TextDecoder().decode(built)).toBe(`${HEAD}${contents}],"tail":1}`);
  expect(looks).toBe(turns);
  const added = deltas.flatMap(({ parts }) => parts.filter((part) => typeof part === "string"));
  expect(added.join("").length).toBeLessThan(contents.length + (turns / 5) * OTHER.length + 200);
});

const whole: BodyDelta = { bytes: 4, parts: ["abcd"] };
const copied = (base: number, length: number): BodyDelta => ({ bytes: length, base, parts: [[0, length]] });
test.each<[string, readonly (BodyDelta | undefined)[]]>([
  ["that is not there", []],
  ["with another length", [{ bytes: 3, parts: ["abcd"] }]],
  ["without a base that it needs", [{ bytes: 4, parts: [[0, 4]] }]],
  ["on a base that is missing", [undefined, copied(0, 4)]],
  ["on a base that is too short", [whole, copied(0, 9)]],
  ["on itself", [whole, copied(1, 4)]],
  ["on a later one", [whole, copied(2, 4), whole]],
])("a body %s is an error", (_name, deltas) => {
  expect(() => buildBody(Math.min(1, Math.max(0, deltas.length - 1)), (at) => deltas[at])).toThrow(RangeError);
});
