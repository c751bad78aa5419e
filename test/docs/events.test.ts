import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readPage, ROOT } from "./support/pages.ts";

const source = readFileSync(join(ROOT, "packages/core/src/loop/events.ts"), "utf8");
const forObservers = /type StepEvent =.+?(?=interface StepEnding)/s.exec(source)?.[0] ?? "";
const kindsIn = (text: string): string[] =>
  [...new Set(Array.from(text.matchAll(/readonly type: "([\w-]+)"/g), ([, kind = ""]) => kind))]
    .filter((kind) => kind !== "rewind")
    .toSorted();

/** Kinds in the first column of a page's table. */
function listedOn(page: string): string[] {
  const table = /^\| event +\| meaning +\|\n\|.+\n((?:\|.+\n)+)/m.exec(readPage(page));
  return (table?.[1] ?? "").split("\n").flatMap((row) => {
    const [, cell = ""] = row.split("|");
    return Array.from(cell.matchAll(/`([\w-]+)`/g), ([, kind = ""]) => kind);
  });
}

test("the guide to events lists every kind of event, and no other", () => {
  const kinds = kindsIn(source.replace(forObservers, ""));
  expect(kinds.length).toBeGreaterThan(10);
  expect(listedOn("docs/guides/streaming-and-events.md").toSorted()).toEqual(kinds);
});

test("the guide to observers lists every kind that only they get, and the end of a run", () => {
  const kinds = kindsIn(forObservers);
  expect(kinds.length).toBeGreaterThan(3);
  expect(listedOn("docs/guides/observers.md").toSorted()).toEqual([...kinds, "run-end"].toSorted());
});
