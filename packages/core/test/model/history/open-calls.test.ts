import fc from "fast-check";
import { expect, test } from "vitest";
import { type CallInTurn, readCalls } from "../../../src/model/history/open-calls.ts";
import type { Content, Part } from "../../../src/wire/types/content.ts";
import { growthOf } from "../../helpers/growth.ts";

const name = fc.constantFrom("a", "b", "");
const id = fc.constantFrom(undefined, "", "1", "2");
const part: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ functionCall: fc.record({ name, id }) }),
  fc.record({ functionResponse: fc.record({ name, id, response: fc.constant({}) }) }),
);

/** The same by looking at all calls for each response. */
function readSlowly(turn: readonly Content[]): readonly CallInTurn[] {
  const calls: { -readonly [Name in keyof CallInTurn]: CallInTurn[Name] }[] = [];
  for (const [at, { parts }] of turn.entries())
    for (const { functionCall: call, functionResponse: response } of parts) {
      if (call) calls.push({ call, at });
      if (!response) continue;
      const open = calls.filter((one) => one.response === undefined);
      const own =
        open.find((one) => response.id && one.call.id === response.id) ??
        open.find((one) => one.call.name === response.name && (!response.id || !one.call.id));
      if (own !== undefined) own.response = response;
    }
  return calls;
}

test("each response of the service belongs to the earliest call with its id, or else with its name", () => {
  fc.assert(
    fc.property(fc.array(fc.array(part), { maxLength: 3 }), (turn) => {
      const contents = turn.map((parts): Content => ({ role: "model", parts }));
      expect(readCalls(contents)).toEqual(readSlowly(contents));
    }),
  );
});

test.each([
  ["answered", "a"],
  ["left open", "b"],
])("a turn of many calls that are %s is read in time linear in their number", (_how, responding) => {
  const turn = (size: number): readonly Content[] => [
    {
      role: "model",
      parts: [
        ...Array.from({ length: size }, () => ({ functionCall: { name: "a" } })),
        ...Array.from({ length: size }, () => ({ functionResponse: { name: responding, response: {} } })),
      ],
    },
  ];
  const [small, large] = [turn(1_000), turn(8_000)];
  // Quadratic work would take 64 times as long.
  expect(growthOf((size) => void readCalls(size === 1_000 ? small : large), 1_000, 8)).toBeLessThan(32);
});
