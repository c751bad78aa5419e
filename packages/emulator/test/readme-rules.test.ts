import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Fault, faults } from "../src/index.ts";
import { FAULTS, filesById, type Listed, refuses, RULES } from "./listed-rules.ts";
import { CASES, profilesOf } from "./validate/cases/all.ts";
import { outcome } from "./validate/request.ts";

/** Whether a test file has a test with this title, in a call or in a table. */
function hasTest(shownBy: string): boolean {
  const [, file = "", title = ""] = /^`([\w/.-]+\.test\.ts)`: (.+)$/.exec(shownBy) ?? [];
  if (file === "validate/refusals.test.ts") return CASES.some(({ rule, what }) => `${rule}: ${what}` === title);
  const source = file === "" ? "" : readFileSync(new URL(file, import.meta.url), "utf8");
  return title !== "" && source.includes(`${JSON.stringify(title)},`);
}

const listed = [...RULES, ...FAULTS];
const named = ({ what }: Listed): string[] => [...what.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name);

describe("the README's tables", () => {
  test("name each rule and fault of the sources once, and no other", () => {
    const ids = listed.map(({ id }) => id);
    // I and K are rules of interactions and file search, which have lists of their own.
    const found = [...filesById().keys()].filter((id) => !/^[IK]-/.test(id));
    expect(ids).toHaveLength(new Set(ids).size);
    expect(found.filter((id) => !ids.includes(id))).toEqual([]);
    expect(RULES.filter((rule) => refuses(rule) && !found.includes(rule.id))).toEqual([]);
  });

  test.each(listed.map((row) => [row.id, row] as const))("%s: no cell is empty", (_, row) => {
    const { evidence, ...cells } = row;
    expect(Object.values(RULES.includes(row) ? row : cells)).not.toContain("");
    expect(["seen", "known", "guess"]).toContain(row.certainty);
    expect(evidence).toMatch(
      /^(?:|unsure|\[(?:recording|issue|documentation)\]\(https:\S+\)(?:, except \[recording\]\(\S+\))?)$/,
    );
  });

  test.each(listed.map(({ id, shownBy }) => [id, shownBy] as const))("%s: %s", (_, shownBy) => {
    expect(hasTest(shownBy)).toBe(true);
  });

  test("say in which profiles each rule refuses", () => {
    const said = RULES.filter(refuses).map(({ id, profiles }) => [id, profiles]);
    expect(said).toEqual(RULES.filter(refuses).map(({ id }) => [id, profilesOf(id)]));
  });
});

const UNSURE = new Set(RULES.filter(({ evidence }) => evidence === "unsure").map(({ id }) => id));
const unsure = CASES.filter(({ rule, asked }) => UNSURE.has(rule) && asked.strict === undefined);

test.each(unsure)(
  "$rule: $what is not refused without guesses, as nothing public shows the rule",
  ({ rule, asked }) => {
    const verdict = outcome({ ...asked, strict: { guesses: false } });
    expect(verdict === "accepted" ? verdict : verdict.rule).not.toBe(rule);
  },
);

test("the list of faults has every fault once, under the id it reports", () => {
  const isFault = (name: string): name is keyof typeof faults => Object.hasOwn(faults, name);
  const names = FAULTS.flatMap((item) => named(item).filter(isFault));
  expect(FAULTS.flatMap(named).toSorted()).toEqual(Object.keys(faults).toSorted());
  const made: Readonly<Record<string, Fault>> = {
    ...Object.fromEntries(
      names
        .filter((name) => name !== "stall" && name !== "slowFirstByte" && name !== "brokenArgs" && name !== "apiError")
        .map((name) => [name, name === "finishReason" ? faults[name]("OTHER") : faults[name]()]),
    ),
    stall: faults.stall({ ms: 1 }),
    slowFirstByte: faults.slowFirstByte({ ms: 1 }),
    brokenArgs: faults.brokenArgs("empty"),
  };
  const reported = FAULTS.filter(({ id }) => id !== "any").flatMap((item) =>
    named(item).map((name) => [name, made[name]?.rule, item.id]),
  );
  for (const [name, rule, id] of reported) expect([name, rule]).toEqual([name, id]);
});
