import { describe, expect, test } from "vitest";
import { readPage } from "./support/pages.ts";
import { pagesOfOthers, pairsOf } from "./support/side-by-side.ts";

// What both programs of a pair print: `from-other-libraries.system.test.ts`.
const { dependencies } = JSON.parse(readPage("test/programs/package.json")) as {
  dependencies: Readonly<Record<string, string>>;
};

const HEADINGS = ["One question", "A tool", "Streaming", "Typed output", "Google Search", "A conversation", "Approval"];

describe.each(pagesOfOthers())("%s", (page) => {
  test("has the same programs as the others, and what both print", () => {
    expect(pairsOf(page).map(({ heading }) => heading)).toEqual(HEADINGS);
    expect(pairsOf(page).filter(({ output }) => output.trim() === "")).toEqual([]);
  });

  test("names the versions that its programs run with", () => {
    const [, purpose = ""] = /^# .+\n\n([^]+?)\n\n/.exec(readPage(page)) ?? [];
    const named = [...purpose.matchAll(/`(@?[\w/-]+)`\s(\d[\w.]*\d)/g)].map(([, name = "", version]) => [
      name,
      version,
    ]);
    expect(named.length).toBeGreaterThan(0);
    expect(named).toEqual(named.map(([name = ""]) => [name, dependencies[name]]));
  });
});
