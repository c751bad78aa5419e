import { expect, test } from "vitest";
import { anchorsOf, readPage } from "./support/pages.ts";

const PAGE = "docs/guides/how-do-i.md";
/** The tasks in the tables, each with its code and a link to a program. */
const wishes = [...readPage(PAGE).matchAll(/^\| (.+?) +\| `(.+?)` +\| \[.+?\]\((.*?)(?:#(.+?))?\) +\|$/gm)].map(
  ([, wish = "", code = "", file = "", anchor = ""]) => ({ wish, code, file, anchor }),
);
/** Placeholders in the code. */
const OF_THE_READER = new Set("agent args billing input result session token tool writer".split(" "));

/** The sections of a page, by the anchor of their heading. The first one also has the empty anchor. */
function partsOf(page: string): ReadonlyMap<string, string> {
  const parts: string[] = [];
  let isCode = false;
  for (const line of readPage(page).split("\n")) {
    if (line.startsWith("```")) isCode = !isCode;
    if (parts.length === 0 || (!isCode && line.startsWith("#"))) parts.push(line);
    else parts.push(`${parts.pop()}\n${line}`);
  }
  return new Map([["", parts[0] ?? ""], ...parts.map((part) => [anchorsOf(part)[0] ?? "", part] as const)]);
}

/** The programs in the section that a link leads to. */
function programsAt(file: string, anchor: string): readonly string[] {
  const part = partsOf(file === "" ? PAGE : `docs/guides/${file}`).get(anchor) ?? "";
  return [...part.matchAll(/^```ts\n([^]+?)^```$/gm)].map(([, program = ""]) => program);
}

test("forty everyday wishes have their code, which a program at the end of their link has too", () => {
  expect(wishes.length).toBeGreaterThanOrEqual(40);
  const unshown = wishes.flatMap(({ wish, code, file, anchor }) => {
    const programs = programsAt(file, anchor).join("\n");
    const words = (code.replaceAll(/"https[^"]*"/g, "").match(/[A-Za-z]\w+/g) ?? []).filter(
      (word) => !OF_THE_READER.has(word),
    );
    const missing = words.filter((word) => !new RegExp(`\\b${word}\\b`).test(programs));
    return missing.length === 0 ? [] : [`${wish}: ${missing.join(", ")}`];
  });
  expect(unshown).toEqual([]);
});

test("the programs of this page are short, and each is what a table leads to", () => {
  const page = readPage(PAGE);
  const bodies = [...page.matchAll(/^```ts\n([^]+?)^```$/gm)].map(([, code = ""]) =>
    code.replaceAll(/^import .+\n/gm, "").trim(),
  );
  expect(bodies.filter((code) => code.split("\n").length > 8)).toEqual([]);
  const here = wishes.filter(({ file }) => file === "").map(({ anchor }) => anchor);
  const headings = [...page.matchAll(/^### (.+)$/gm)].map(([heading]) => anchorsOf(heading)[0]);
  expect(here.filter((anchor) => anchor !== "how-do-i-")).toEqual(headings);
});
