import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readPage, ROOT } from "./support/pages.ts";

test("the guide to events lists every kind of event, and no other", () => {
  const source = readFileSync(join(ROOT, "packages/core/src/loop/events.ts"), "utf8");
  const kinds = [...source.matchAll(/readonly type: "([\w-]+)"/g)].map(([, kind = ""]) => kind);
  expect(kinds.length).toBeGreaterThan(10);

  const table = /^\| event +\| meaning +\|\n\|.+\n((?:\|.+\n)+)/m.exec(readPage("docs/guides/streaming-and-events.md"));
  const listed = (table?.[1] ?? "").split("\n").flatMap((row) => {
    const [, cell = ""] = row.split("|");
    return [...cell.matchAll(/`([\w-]+)`/g)].map(([, kind = ""]) => kind);
  });
  expect(listed.toSorted()).toEqual([...new Set(kinds.filter((kind) => kind !== "rewind"))].toSorted());
});
