import { expect, test } from "vitest";
import { anchorsOf, readPage } from "./support/pages.ts";

const page = readPage("docs/guides/how-do-i.md");
/** The wishes that the tables name: what they are, and where their programs and guides are. */
const wishes = [...page.matchAll(/^\| \[(.+?)\]\(#(.+?)\) +\| \[.+?\]\((.+?)\) +\|$/gm)].map(
  ([, wish = "", anchor = "", guide = ""]) => ({ wish, anchor, guide }),
);
/** By the anchor of its heading: the program of a wish, without its imports. */
const programs = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((section) => {
      const [, heading = "", code = ""] = /^(.+)\n\n```ts\n([^]+?)^```\n\n```text\n/m.exec(section) ?? [];
      return [anchorsOf(`### ${heading}`)[0] ?? "", code.replaceAll(/^import .+\n/gm, "").trim()];
    }),
);

test("forty everyday wishes have a program of a few lines", () => {
  expect(wishes.length).toBeGreaterThanOrEqual(40);
  expect(wishes.filter(({ anchor }) => !programs.get(anchor))).toEqual([]);
  const long = [...programs].filter(([, code]) => code.split("\n").length > 8);
  expect(long).toEqual([]);
});

test("each program is in a table, under the wish that its heading names", () => {
  expect(wishes.map(({ anchor }) => anchor)).toEqual([...programs.keys()]);
  expect(wishes.map(({ wish }) => anchorsOf(`# ${wish}`)[0])).toEqual([...programs.keys()]);
});
