import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import { readPage } from "./support/pages.ts";
import { pagesOfOthers, pairsOf, TEN_TASKS } from "./support/side-by-side.ts";
import { CLAIMS_OF_OTHERS } from "./what-changes/claims-of-others.ts";
import { CLAIMS_OF_POLLUX } from "./what-changes/claims-of-pollux.ts";

// `from-other-libraries.system.test.ts` checks the outputs of both programs of a pair.
const { dependencies } = JSON.parse(readPage("test/programs/package.json")) as {
  dependencies: Readonly<Record<string, string>>;
};

const HEADINGS = ["One question", "A tool", "Streaming", "Typed output", "Google Search", "A conversation", "Approval"];

describe.each(pagesOfOthers())("%s", (page) => {
  test("has the same programs as the others, and what both print", () => {
    expect(pairsOf(page).map(({ heading }) => heading)).toEqual(HEADINGS);
    expect(pairsOf(page).filter(({ output }) => output.trim() === "")).toEqual([]);
  });

  // `what-changes.system.test.ts` checks that they hold.
  test("says that what changes is what a test has seen", () => {
    const [, table = ""] = /^## What changes\n\n([^]+?)\n\n/m.exec(readPage(page)) ?? [];
    const rows = table
      .split("\n")
      .slice(2)
      .map((row) =>
        row
          .split("|")
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    const claims = Object.entries(CLAIMS_OF_OTHERS[basename(page, ".md")] ?? {});
    expect(rows).toEqual(claims.map(([happens, [cell]]) => [happens, cell, CLAIMS_OF_POLLUX[happens]?.[0]]));
  });
});

test.each([...pagesOfOthers(), TEN_TASKS])("%s names the versions that its programs run with", (page) => {
  const [, purpose = ""] = /^# .+\n\n([^]+?)\n\n/.exec(readPage(page)) ?? [];
  const named = [...purpose.matchAll(/`(@?[\w/-]+)`\s(\d[\w.]*\d)/g)].map(([, name = "", version]) => [name, version]);
  expect(named.length).toBeGreaterThan(0);
  expect(named).toEqual(named.map(([name = ""]) => [name, dependencies[name]]));
});
