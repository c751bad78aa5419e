import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ApiShapeError } from "../../../src/errors/api-errors.ts";
import { PartCollector } from "../../../src/model/response/parts.ts";
import type { Part } from "../../../src/wire/types/content.ts";
import { growthOf } from "../../helpers/growth.ts";

function gather(...chunks: readonly (readonly Part[])[]): { parts: Part[]; handedOn: Part[] } {
  const gatherer = new PartCollector();
  const handedOn = chunks.flatMap((chunk) => gatherer.add(chunk));
  return { parts: gatherer.parts(), handedOn: [...handedOn, ...gatherer.close()] };
}

describe("text", () => {
  test.each<[string, Part[], Part[]]>([
    ["plain text is joined", [{ text: "a" }, { text: "b" }, { text: "" }], [{ text: "ab" }]],
    [
      "thoughts and answers stay apart",
      [{ text: "a", thought: true }, { text: "b", thought: true }, { text: "c" }],
      [{ text: "ab", thought: true }, { text: "c" }],
    ],
    [
      "signed text stands alone",
      [{ text: "a" }, { text: "b", thoughtSignature: "s" }, { text: "c" }],
      [{ text: "a" }, { text: "b", thoughtSignature: "s" }, { text: "c" }],
    ],
    [
      "a signature on empty text keeps its part",
      [{ text: "a" }, { text: "", thoughtSignature: "s" }],
      [{ text: "a" }, { text: "", thoughtSignature: "s" }],
    ],
    [
      "calls part text",
      [{ text: "a" }, { functionCall: { name: "f" } }, { text: "" }],
      [{ text: "a" }, { functionCall: { name: "f" } }, { text: "" }],
    ],
    [
      "a key that is not known keeps a part as it is",
      [{ text: "a" }, { text: "b", partWeather: { x: 1 } } as Part],
      [{ text: "a" }, { text: "b", partWeather: { x: 1 } } as Part],
    ],
  ])("%s", (_name, incoming, parts) => {
    expect(gather(incoming)).toEqual({ parts, handedOn: incoming });
    expect(gather(...incoming.map((part) => [part])).parts).toEqual(parts);
  });

  test("what was gathered does not change when more arrives", () => {
    const gatherer = new PartCollector();
    gatherer.add([{ text: "a" }]);
    const before = gatherer.parts();
    gatherer.add([{ text: "b" }]);
    expect([before, gatherer.parts()]).toEqual([[{ text: "a" }], [{ text: "ab" }]]);
  });
});

const anyPart: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ text: fc.string(), thought: fc.constant(true) }, { requiredKeys: ["text"] }),
  fc.record({ text: fc.string(), thoughtSignature: fc.base64String({ minLength: 4 }) }),
  fc.record({
    functionCall: fc.record({ name: fc.string({ minLength: 1 }), args: fc.dictionary(fc.string(), fc.jsonValue()) }),
  }),
  fc.record({ futurePart: fc.jsonValue() }).map((part) => part as Part),
);

test("nothing is lost, moved or signed again, however the parts are split into chunks", () => {
  fc.assert(
    fc.property(fc.array(anyPart), fc.array(fc.nat(4)), (incoming, sizes) => {
      const chunks: Part[][] = [];
      for (let at = 0, i = 0; at < incoming.length; i++) chunks.push(incoming.slice(at, (at += (sizes[i] ?? 0) + 1)));
      const { parts, handedOn } = gather(...chunks);
      expect(handedOn).toEqual(incoming);
      expect(parts).toEqual(gather(incoming).parts);
      const isJoinable = (part: Part): boolean => part.text !== undefined && part.thoughtSignature === undefined;
      expect(parts.filter((part) => !isJoinable(part))).toEqual(incoming.filter((part) => !isJoinable(part)));
      const textOf = (list: readonly Part[], thought?: true): string =>
        list
          .filter((part) => part.thought === thought)
          .map(({ text }) => text ?? "")
          .join("");
      expect([textOf(parts), textOf(parts, true)]).toEqual([textOf(incoming), textOf(incoming, true)]);
    }),
  );
});

test("takes time in proportion to the pieces", () => {
  const gatherAll = (pieces: number): void => {
    const gatherer = new PartCollector();
    for (let i = 0; i < pieces; i++) gatherer.add([{ text: "some words " }]);
    expect(gatherer.parts()[0]?.text).toHaveLength(11 * pieces);
  };
  // Quadratic work would take 64 times as long.
  expect(growthOf(gatherAll, 12_500, 8)).toBeLessThan(32);
});

describe("arguments that arrive in pieces", () => {
  const piece = (functionCall: object): Part => ({ functionCall }) as Part;

  test("become one call in its place, handed on in pieces and then once", () => {
    const { parts, handedOn } = gather(
      [{ text: "one moment" }, { functionCall: { name: "f", id: "1", willContinue: true }, thoughtSignature: "s" }],
      [piece({ partialArgs: [{ jsonPath: "$.city", stringValue: "New ", willContinue: true }], willContinue: true })],
      [
        { text: "!" },
        piece({
          partialArgs: [
            { jsonPath: "$.city", stringValue: "Delhi" },
            { jsonPath: "$.days[0].n", numberValue: 2 },
          ],
          willContinue: true,
        }),
      ],
      [
        piece({
          partialArgs: [
            { jsonPath: "$.ok", boolValue: false },
            { jsonPath: "$['a b']", nullValue: "NULL_VALUE" },
            { jsonPath: "$.none[]" },
            { jsonPath: "$.days[]" },
          ],
          willContinue: true,
        }),
      ],
      [piece({})],
      [{ functionCall: { name: "g" } }],
    );
    const call: Part = {
      functionCall: {
        name: "f",
        id: "1",
        args: { city: "New Delhi", days: [{ n: 2 }], ok: false, "a b": null, none: [] },
      },
      thoughtSignature: "s",
    };
    expect(parts).toEqual([{ text: "one moment" }, call, { text: "!" }, { functionCall: { name: "g" } }]);
    const handed = (...partialArgs: object[]): Part => piece({ name: "f", id: "1", partialArgs, willContinue: true });
    expect(handedOn).toEqual([
      { text: "one moment" },
      handed(),
      handed({ jsonPath: "$.city", stringValue: "New ", willContinue: true }),
      { text: "!" },
      handed({ jsonPath: "$.city", stringValue: "Delhi" }, { jsonPath: "$.days[0].n", numberValue: 2 }),
      handed(
        { jsonPath: "$.ok", boolValue: false },
        { jsonPath: "$['a b']", nullValue: "NULL_VALUE" },
        { jsonPath: "$.none[]" },
        { jsonPath: "$.days[]" },
      ),
      call,
      { functionCall: { name: "g" } },
    ]);
  });

  test("are closed by the next call and by the end", () => {
    const open = (name: string): Part => piece({ name, willContinue: true });
    const whole = (name: string): Part => ({ functionCall: { name, args: {} } });
    expect(gather([open("f"), open("g")])).toEqual({
      parts: [whole("f"), whole("g")],
      handedOn: [
        piece({ name: "f", partialArgs: [], willContinue: true }),
        whole("f"),
        piece({ name: "g", partialArgs: [], willContinue: true }),
        whole("g"),
      ],
    });
  });

  test.each([
    "$.__proto__.polluted",
    "$.constructor",
    "$['prototype'].x",
    "$[0]",
    "$",
    "city",
    "$.a[100001]",
    "$.a..b",
    "$.s.t",
  ])("the path %s is refused", (jsonPath) => {
    const start = piece({ name: "f", partialArgs: [{ jsonPath: "$.s", stringValue: "x" }], willContinue: true });
    expect(() => gather([start], [piece({ partialArgs: [{ jsonPath, boolValue: true }] })])).toThrow(ApiShapeError);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  // Each needs some bytes, and became a list of up to 100,000 elements.
  test.each<[string, (at: number) => readonly Part[]]>([
    [
      "lists of one call",
      (at) => [piece({ partialArgs: [{ jsonPath: `$.l${at}[9999]`, numberValue: 1 }], willContinue: true })],
    ],
    [
      "lists in a list",
      (at) => [piece({ partialArgs: [{ jsonPath: `$.l[${at}][9999].b`, numberValue: 1 }], willContinue: true })],
    ],
    ["closed lists", (at) => [piece({ partialArgs: [{ jsonPath: `$.l[${at}][9999][]` }], willContinue: true })]],
    [
      "lists of many calls",
      (at) => [piece({ name: `f${at}`, partialArgs: [{ jsonPath: "$.l[9999]", numberValue: 1 }] })],
    ],
  ])("the elements that paths skip in %s are counted together", (_where, next) => {
    const start = piece({ name: "f", partialArgs: [], willContinue: true });
    const pieces = Array.from({ length: 11 }, (_, at) => next(at));
    expect(() => gather([start], ...pieces.slice(0, 10))).not.toThrow();
    expect(() => gather([start], ...pieces)).toThrow(/skips elements of a list/);
  });

  test("elements that come in order are no gaps, however many there are", () => {
    const partialArgs = Array.from({ length: 1_000 }, (_, at) => ({ jsonPath: `$.l[${at}]`, numberValue: at }));
    const calls = Array.from({ length: 150 }, () => [piece({ name: "f", partialArgs })]);
    expect(gather(...calls)).toMatchObject({ parts: { length: 150 } });
  });
});
