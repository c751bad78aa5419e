import { expect, test } from "vitest";
import { type CaseFilter, filterCases } from "../../src/cases/filter-cases.ts";

const cases = [
  { id: "a", tags: ["orders", "slow"], metadata: { lang: "en", level: 1 } },
  { id: "b", tags: ["orders"], metadata: { lang: "de" } },
  { id: "c" },
];

test.each<[string, CaseFilter, string]>([
  ["nothing", {}, "abc"],
  ["ids", { ids: ["c", "a", "x"] }, "ac"],
  ["any of some tags", { tags: ["slow", "orders"] }, "ab"],
  ["all metadata", { metadata: { lang: "en", level: 1 } }, "a"],
  ["a number as a command line writes it", { metadata: { level: "1" } }, "a"],
  ["metadata of the suite", { metadata: { team: "shop" } }, "abc"],
  ["a case's metadata before the suite's", { metadata: { lang: "fr" } }, "c"],
  ["all that is given", { ids: ["a", "b"], tags: ["orders"], metadata: { lang: "de" } }, "b"],
  ["no inherited member", { metadata: { toString: "x" } }, ""],
])("filters by %s", (_, filter, ids) => {
  const left = filterCases(cases, filter, { metadata: { team: "shop", lang: "fr" } });
  expect(left.map(({ id }) => id).join("")).toBe(ids);
});
