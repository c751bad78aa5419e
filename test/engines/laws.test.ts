import { describe, expect, test } from "vitest";
import { problemsOfEnd, repeats, unlawful } from "./support/laws.ts";
import type { Seen } from "./support/outside-messages.ts";

// The problems that the matrix finds: a blind one would pass on any engine.

const RUN = "r";
const KILL: Seen = { what: "mark", mark: "kill" };

function model(turn: number, ...told: number[]): Seen {
  return { what: "model", run: RUN, turn, told, responses: [] };
}

function item(number: number, { key = `${RUN}/${number}`, code = "old", done = true } = {}): readonly Seen[] {
  const asked = { what: "item", run: RUN, item: number, key, code, at: 0 } as const;
  return [{ ...asked, phase: "asked" }, ...(done ? [{ ...asked, phase: "done" } as const] : [])];
}

const RIGHT = [model(1), ...item(1), ...item(2), model(2, 1, 2), ...item(3), model(3, 1, 2, 3)];

describe("a run that the outside world saw", () => {
  test.each<readonly [why: string, seen: readonly Seen[], problems: readonly string[]]>([
    ["nothing was killed", RIGHT, []],
    [
      "what was in flight is begun again",
      [model(1), ...item(1), ...item(2, { done: false }), KILL, ...item(1).slice(0, 1), ...item(2), ...RIGHT.slice(5)],
      [],
    ],
    [
      "a finished item is begun again",
      [...RIGHT.slice(0, 6), KILL, ...item(1).slice(0, 1), ...RIGHT.slice(6)],
      ["doubled: item:1 was finished and began again"],
    ],
    [
      "a finished request is made again",
      [...RIGHT.slice(0, 5), KILL, model(1), ...RIGHT.slice(5)],
      ["doubled: model:1 was finished and began again"],
    ],
    ["a request is made twice for no reason", [model(1), ...RIGHT], ["doubled: model:1 began 2 times with 0 kills"]],
    [
      "an item has another key the second time",
      [model(1), ...item(1), KILL, ...item(1, { key: "other" }), ...RIGHT.slice(3)],
      ["doubled: item 1 was carried out 2 times", "doubled: item 1 has the keys r/1, other"],
    ],
    ["an item is left out", [...RIGHT.slice(0, 6), model(3, 1, 2)], ["lost: item 3 was never carried out"]],
    [
      "other code continues it",
      [...RIGHT.slice(0, 6), KILL, ...item(3, { code: "new" }), model(3, 1, 2, 3)],
      ["mixed: its items were carried out by the codes old, new"],
    ],
  ])("is judged when %s", (_, seen, problems) => {
    expect(unlawful(RUN, "two", seen)).toEqual(problems);
  });

  test("is counted for what began again", () => {
    expect(repeats([...RIGHT, ...item(3), model(3)])).toBe(2);
  });
});

test("a run that did not end well counts as lost", () => {
  const well = { status: "ended", stopReason: "finished", text: "All of it is done." } as const;
  expect(problemsOfEnd(well)).toEqual([]);
  expect(problemsOfEnd({ ...well, text: "" })).toHaveLength(1);
  expect(problemsOfEnd({ ...well, stopReason: "limit" })).toHaveLength(1);
  expect(problemsOfEnd({ status: "cancelled" })).toHaveLength(1);
});
