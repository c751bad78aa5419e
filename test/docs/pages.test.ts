import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { anchorsOf, readPage, ROOT, userPages, withoutCode } from "./support/pages.ts";

const pages = [
  ...userPages(),
  ...["conformance", "create-pollux", "dbos", "engine", "interactions", "otel", "postgres", "restate"].map(
    (name) => `packages/${name}/README.md`,
  ),
];
const FOR_CONTRIBUTORS = ["AGENTS.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "REVIEW.md", "SECURITY.md"];
const WORDS = "content model tool agent run turn call job step event session store conversation".split(" ");
const guides = pages.filter((page) => page.startsWith("docs/guides/"));
/** Without the pages for contributors and the references of ready-made tools. */
const forReading = pages.filter((page) => !/^docs\/(?:decisions|guides\/tools)\//.test(page));

describe("README and docs", () => {
  test("README stays a page one can scan", () => {
    expect(readPage("README.md").trimEnd().split("\n").length).toBeLessThanOrEqual(134);
  });

  test("README repeats how much recorded traffic is compared", () => {
    const [, files = "", exchanges = ""] = /^(\d+) files, (\d+) exchanges,/m.exec(readPage("docs/contract.md")) ?? [];
    expect(readPage("README.md").replaceAll(/\s+/g, " ")).toContain(
      `${files} recorded files with ${Number(exchanges).toLocaleString("en-US")} exchanges`,
    );
  });

  test("the table of behaviors names files that exist, the first one from core's sources and others from beside it", () => {
    const [, table = ""] = /^## Where does it live\n([^]+)/m.exec(readPage("docs/map.md")) ?? [];
    const named = [...table.matchAll(/^\| .+ \| (`.+`) +\|$/gm)].map(([, cell = ""]) =>
      [...cell.matchAll(/`(.+?)`/g)].map(([, path = ""]) => path),
    );
    const paths = named.flatMap(([first = "", ...others]) => {
      const path = fromCore(first);
      return [path, ...others.map((other) => join(dirname(path), other))];
    });
    expect(named.length).toBeGreaterThanOrEqual(40);
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test("the words of AGENTS.md are in files that exist, and it stays a page that one reads", () => {
    const page = readPage("AGENTS.md");
    const [, table = ""] = /^## Words\n([^]+?)^## /m.exec(page) ?? [];
    const rows = [...table.matchAll(/^\| (\w+) +\| .+ \| (`.+`) +\|$/gm)];
    const paths = rows.flatMap(([, , cell = ""]) => {
      const [first = "", ...others] = [...cell.matchAll(/`(.+?)`/g)].map(([, path = ""]) => fromCore(path));
      return [
        first,
        ...others.map((other) => (existsSync(join(ROOT, other)) ? other : join(dirname(first), basename(other)))),
      ];
    });
    expect(rows.map(([, word]) => word)).toEqual(WORDS);
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(page.length).toBeLessThan(13_000);
  });

  test("the index lists every guide", () => {
    const listed = new Set(linksIn("docs/README.md").map(({ file }) => file));
    expect(guides.filter((guide) => !listed.has(guide))).toEqual([]);
  });

  test("the index lists every package", () => {
    const listed = new Set(linksIn("docs/README.md").map(({ file }) => file));
    expect(readdirSync(join(ROOT, "packages")).filter((name) => !listed.has(`packages/${name}`))).toEqual([]);
  });

  test.each(pages)("%s looks for names where they are", (page) => {
    const text = withoutCode(readPage(page)).replaceAll(/\s+/g, " ");
    const named = [
      ...text.matchAll(/((?:`\w+(?:\([^`]*\))?`(?:,| and| or)? )+)(?:of|from) `@pollux\/([\w-]+)(?:\/([\w-]+))?`/g),
    ];
    const missing = named.flatMap(([said = "", names = "", folder = "", entry = folder]) => {
      const report = readPage(`packages/${folder}/etc/${entry}.api.md`);
      const known = [...names.matchAll(/`(\w+)/g)].every(([, name = ""]) => new RegExp(`\\b${name}\\b`).test(report));
      return known ? [] : [said];
    });
    expect(missing).toEqual([]);
  });

  test.each(guides)("%s begins with what it is for, in two sentences at most", (page) => {
    const [, purpose = ""] = /^# .+\n\n([^]+?)\n\n/.exec(readPage(page)) ?? [];
    expect(purpose).toMatch(/^[A-Z`]/);
    expect(purpose.split(/(?<=[.?!])\s+/).length).toBeLessThanOrEqual(2);
  });

  test.each(guides)("%s continues with a program and its output", (page) => {
    const [program = "", output = ""] = readPage(page).split(/^```$/m);
    expect(program).toMatch(/^# .+\n\n(?:(?!#|\||- ).+\n)+\n```ts\n/);
    expect(output).toMatch(/^\n\n```text\n./);
  });

  test.each([...pages, ...FOR_CONTRIBUTORS])("%s has no dead relative link", (page) => {
    const dead = linksIn(page).filter(({ file, anchor }) => !leadsSomewhere(file, anchor));
    expect(dead).toEqual([]);
  });

  test.each(forReading)("%s has no sentence of more than 40 words", (page) => {
    const long = proseOf(readPage(page))
      .flatMap(sentencesOf)
      .filter((sentence) => sentence.split(/\s+/).length > 40);
    expect(long).toEqual([]);
  });
});

/** Paths are relative to core's sources by default. */
function fromCore(path: string): string {
  return path.startsWith("packages/") ? path : `packages/core/src/${path}`;
}

/** The relative links and pictures of a page, as paths from the root. */
function linksIn(page: string): { readonly file: string; readonly anchor: string | undefined }[] {
  const text = withoutCode(readPage(page));
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? page : relative(ROOT, join(ROOT, dirname(page), path));
      return { file, anchor };
    });
}

function leadsSomewhere(file: string, anchor: string | undefined): boolean {
  if (!existsSync(join(ROOT, file))) return false;
  return anchor === undefined || anchorsOf(readPage(file)).includes(anchor);
}

/** The paragraphs and list items of a page: no code, tables, headings or comments. */
function proseOf(page: string): readonly string[] {
  return withoutCode(page)
    .replaceAll(/<!--[^]*?-->/g, "")
    .replaceAll(/^(?:\||#|!\[).*$/gm, "")
    .split(/\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )/)
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => paragraph !== "");
}

/** Sentences: texts up to a period, question mark or exclamation mark before a space, outside code. */
function sentencesOf(paragraph: string): readonly string[] {
  return paragraph
    .replaceAll(/`[^`]*`/g, "code")
    .replaceAll(/\]\([^)]*\)/g, "]")
    .split(/(?<=[.?!][)"*]*)\s+/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== "");
}
