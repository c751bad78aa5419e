import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { FAULT_LIST } from "../src/fault/fault-list.ts";
import { type Fault, faults } from "../src/index.ts";
import { type Evidence, EVIDENCE, EXCEPTIONS } from "../src/validate/evidence.ts";
import { RULES } from "../src/validate/rules.ts";
import { CASES, profilesOf } from "./validate/cases/all.ts";
import { outcome } from "./validate/request.ts";

const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const CERTAINTY = { R: "seen", I: "known", G: "guess" } as const;

/** Rows of the table under a heading, as cells. */
function rowsUnder(heading: string): string[][] {
  const section = README.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
}

/** Whether a test file has a test with this title, in a call or in a table. */
function hasTest(shownBy: string): boolean {
  const [, file = "", title = ""] = /^`([\w/.-]+\.test\.ts)`: (.+)$/.exec(shownBy) ?? [];
  if (file === "validate/refusals.test.ts") return CASES.some(({ rule, what }) => `${rule}: ${what}` === title);
  const source = file === "" ? "" : readFileSync(new URL(file, import.meta.url), "utf8");
  return title !== "" && source.includes(`${JSON.stringify(title)},`);
}

const rules = rowsUnder("Rules");
const listed = rowsUnder("Faults");
const idsOf = (rows: readonly string[][]): string[] => rows.map(([id = ""]) => id).toSorted();

describe("the README's tables", () => {
  test("name exactly the rules and the faults there are", () => {
    expect(idsOf(rules)).toEqual(RULES.map(({ id }) => id).toSorted());
    expect(idsOf(listed)).toEqual(FAULT_LIST.map(({ id }) => id).toSorted());
  });

  test.each([...rules, ...listed].map((row) => [row[0], row] as const))("%s: no cell is empty", (_, row) => {
    expect(row.filter((cell) => cell === "")).toEqual([]);
    expect(row).toHaveLength(6);
  });

  test.each([...rules, ...listed].map((row) => [row[0], row.at(-1) ?? ""] as const))("%s: %s", (_, shownBy) => {
    expect(hasTest(shownBy)).toBe(true);
  });

  test("say how certain each rule and fault is", () => {
    const certain = (list: readonly { readonly id: string; readonly certainty: keyof typeof CERTAINTY }[]) =>
      Object.fromEntries(list.map(({ id, certainty }) => [id, CERTAINTY[certainty]]));
    expect(Object.fromEntries(rules.map(([id, , certainty]) => [id, certainty]))).toEqual(certain(RULES));
    expect(Object.fromEntries(listed.map(([id, , , certainty]) => [id, certainty]))).toEqual(certain(FAULT_LIST));
  });

  test("say what shows that the service has each rule", () => {
    const said = Object.fromEntries(rules.map(([id, , , , evidence]) => [id, evidence]));
    const cite = (evidence: Evidence = "unsure") =>
      typeof evidence === "object" ? `[${evidence.kind}](${evidence.url})` : evidence;
    const found = RULES.map(({ id }) => {
      return [id, `${cite(EVIDENCE[id])}${EXCEPTIONS[id] ? `, except ${cite(EXCEPTIONS[id])}` : ""}`];
    });
    expect(said).toEqual(Object.fromEntries(found));
    expect(Object.keys(EVIDENCE).toSorted()).toEqual(idsOf(rules));
  });

  test("say in which profiles each rule refuses", () => {
    const refusing = RULES.filter(({ refuses }) => refuses !== false).map(({ id }) => id);
    const said = rules.flatMap(([id = "", , , profiles]) => (refusing.includes(id) ? [[id, profiles]] : []));
    expect(Object.fromEntries(said)).toEqual(Object.fromEntries(refusing.map((id) => [id, profilesOf(id)])));
  });

  test("name each fault's functions", () => {
    const named = listed.map(([id, names = ""]) => [id, [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name)]);
    expect(Object.fromEntries(named)).toEqual(Object.fromEntries(FAULT_LIST.map(({ id, names }) => [id, names])));
  });
});

const unsure = CASES.filter(({ rule, asked }) => EVIDENCE[rule] === "unsure" && asked.strict === undefined);

test.each(unsure)(
  "$rule: $what is not refused without guesses, as nothing public shows the rule",
  ({ rule, asked }) => {
    const verdict = outcome({ ...asked, strict: { guesses: false } });
    expect(verdict === "accepted" ? verdict : verdict.rule).not.toBe(rule);
  },
);

test("the list of faults has every fault once, under the id it reports", () => {
  const names = FAULT_LIST.flatMap((item) => item.names);
  expect(names.toSorted()).toEqual(Object.keys(faults).toSorted());
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
  const reported = FAULT_LIST.filter(({ id }) => id !== "any").flatMap((item) =>
    item.names.map((name) => [name, made[name]?.rule, item.id]),
  );
  for (const [name, rule, id] of reported) expect([name, rule]).toEqual([name, id]);
});
