import { statSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { describe, expect, test } from "vitest";
import { anchorsOf, slugOf, summaryOf, textOf, titleOf } from "../../site/src/markdown.ts";
import { linkNames } from "../../site/src/name-links.ts";
import { exists, filesIn, readFile, ROOT } from "../../site/src/repository.ts";
import { makeSite } from "../../site/src/site.ts";

// `site.system.test.ts` has the whole site, with the reference and in a browser.
const site = makeSite();
const pages = new Map(site.pages.map(({ route, text }) => [route, text]));

describe("the pages of the site", () => {
  test.each([...pages])("%s has no dead link", (route, text) => {
    const dead = [...textOf(text).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = ""]) => target)
      .filter((target) => !/^[a-z]+:/.test(target) && !target.includes("reference/"))
      .filter((target) => !leadsSomewhere(route, target));
    expect(dead).toEqual([]);
  });

  test("each copy is of a file: a link to a folder leads to a page", () => {
    const files = new Set(filesIn(".").map((file) => file.slice("./".length)));
    expect([...site.copies.values()].filter((file) => !files.has(file))).toEqual([]);
  });

  test("each has a title and an address of its own", () => {
    expect(site.pages.filter(({ text }) => titleOf(text) === "")).toEqual([]);
    expect(pages.size).toBe(site.pages.length);
  });

  test("the navigation lists each guide once, in the order of the index", () => {
    const listed = site.navigation.guides.flatMap(({ items = [] }) => items.map(({ link }) => link));
    const guides = filesIn("docs/guides").map((file) => file.replace(/^docs(.*)\.md$/, "$1"));
    expect(guides.filter((guide) => !listed.includes(guide))).toEqual([]);
    expect(listed.length).toBe(new Set(listed).size);
    expect(listed[0]).toBe("/guides/getting-started");
  });

  test("each example has a page with its source, the command that runs it and a link to the file", () => {
    const programs = filesIn("examples").filter((file) => /^examples\/[^/]+\.ts$/.test(file));
    expect(programs.length).toBeGreaterThan(20);
    for (const file of programs) {
      const page = pages.get(file.replace(/ts$/, "md")) ?? "";
      expect(page).toContain(readFile(file).trimEnd());
      expect(page).toContain(`node --conditions=pollux-source ${file}`);
      expect(site.copies.get(`source/${file}.txt`)).toBe(file);
    }
  });

  test("the first page says what it is, with the program of the README and its output", () => {
    const landing = pages.get("index.md") ?? "";
    expect(landing).toContain(summaryOf(readFile("README.md")));
    const order = [
      "images/logo.svg",
      "# Pollux",
      "pnpm create pollux",
      "web-chat.webp",
      "inspector.webp",
      "0 of 29,819",
    ];
    const places = [...order, "new Agent(", "```text\n", "Compared with others"].map((text) => landing.indexOf(text));
    expect(places).toEqual(places.toSorted((one, other) => one - other));
    expect(places).not.toContain(-1);
    expect(landing.indexOf("new Agent(")).toBeLessThan(landing.indexOf("```text\n"));
    expect(landing).toContain("./guides/getting-started.md");
  });

  test("films have a still for people who prefer less motion, and all their files are copied", () => {
    const landing = pages.get("index.md") ?? "";
    const still = /<source media="\(prefers-reduced-motion: reduce\)" srcset="\/(.+?)">/g;
    expect([...landing.matchAll(still)].map(([, path = ""]) => site.copies.get(path))).toEqual([
      "docs/images/web-chat-still.webp",
      "docs/images/inspector-still.webp",
    ]);
    const shown = [...landing.matchAll(/<img[^>]* src="\/(.+?)"/g)].map(([, path = ""]) => path);
    expect(shown.filter((path) => !site.copies.has(path))).toEqual([]);
    for (const film of ["web-chat", "inspector"])
      expect(statSync(`${ROOT}/docs/images/${film}.webp`).size).toBeLessThan(600_000);
  });

  test("drawings are part of their page, with a name, and without the style that follows the system", () => {
    const concepts = pages.get("concepts.md") ?? "";
    expect(concepts.match(/<svg role="img" aria-label="[^"]{20,}"/g)).toHaveLength(2);
    expect(concepts).not.toMatch(/prefers-color-scheme|\.svg\)/);
    const styled = readFile("site/.vitepress/theme/style.css");
    const classes = [...concepts.matchAll(/<(?:rect|text|path) class="(\w+)"/g)].map(([, name = ""]) => name);
    expect([...new Set(classes)].filter((name) => !styled.includes(`.drawing .${name} {`))).toEqual([]);
  });

  test("files that pages link to are copied, or linked in a repository that is known", () => {
    const copied = [...site.copies.values()];
    expect(copied).toContain("test/runtimes/runtimes.system.test.ts");
    expect(copied.filter((file) => !exists(file))).toEqual([]);
    const linked = makeSite({ repositoryUrl: "https://code.example/pollux/blob/main" });
    expect([...linked.copies.values()].filter((file) => file.endsWith(".ts"))).toEqual([]);
    const comparison = linked.pages.find(({ route }) => route === "comparison.md")?.text;
    expect(comparison).toContain("](https://code.example/pollux/blob/main/test/laws/1-verbatim.test.ts)");
  });
});

test("the concepts name every stop reason that the guide to errors lists", () => {
  const [, endings = ""] = readFile("docs/guides/errors-and-retries.md").split(/^## Endings$/m);
  const [table = ""] = endings.split(/^## /m);
  const reasons = [...table.matchAll(/^\| `([a-z-]+)` /gm)].map(([, reason = ""]) => reason);
  expect(reasons).toHaveLength(13);
  const [, concept = ""] = readFile("docs/concepts.md").split(/^## Stop reason$/m);
  expect(reasons.filter((reason) => !concept.includes(`\`${reason}\``))).toEqual([]);
});

describe("llms.txt", () => {
  const index = site.texts.get("llms.txt") ?? "";
  const full = site.texts.get("llms-full.txt") ?? "";

  test("links to the Markdown of every guide, with what it is about", () => {
    const links = [...index.matchAll(/^- \[[^\]]+\]\((.+?)\): (.*)$/gm)];
    const dead = links.filter(([, path = ""]) => !site.texts.has(path) && !path.startsWith("reference/"));
    expect(dead).toEqual([]);
    expect(links.filter(([, , about]) => about === "")).toEqual([]);
    for (const file of filesIn("docs/guides")) expect(index).toContain(`(${file.slice("docs/".length)})`);
  });

  test("has all guides in one file that fits into a large context", () => {
    for (const file of filesIn("docs/guides")) expect(full).toContain(`<!-- ${file.slice("docs/".length)} -->`);
    expect(full.length).toBeLessThan(810_000);
  });
});

describe("names in guides", () => {
  const names = new Map([
    ["Agent", "reference/core/classes/Agent.md"],
    ["run", "reference/core/functions/run.md"],
  ]);
  test.each([
    ["An `Agent` runs.", "An [`Agent`](../reference/core/classes/Agent.md) runs."],
    [
      "`new Agent()` and `run()`",
      "[`new Agent()`](../reference/core/classes/Agent.md) and [`run()`](../reference/core/functions/run.md)",
    ],
    ["`Agent`, again `Agent`", "[`Agent`](../reference/core/classes/Agent.md), again `Agent`"],
    ["`Other` and Agent", "`Other` and Agent"],
    ["the option `run`", "the option `run`"],
    ["[the `Agent`](x.md)", "[the `Agent`](x.md)"],
    ["## The `Agent`", "## The `Agent`"],
    ["```ts\n// `Agent`\n```", "```ts\n// `Agent`\n```"],
  ])("%j becomes %j", (text, linked) => {
    expect(linkNames(text, "guides/a.md", names)).toBe(linked);
  });
});

test.each([
  ["What was broken, on purpose", "what-was-broken-on-purpose"],
  ["node:http or fetch", "nodehttp-or-fetch"],
  ["a / b", "a--b"],
  ["How do I …?", "how-do-i-"],
])("the anchor of %j is %j, as on GitHub", (heading, slug) => {
  expect(slugOf(heading)).toBe(slug);
});

/** Whether a link of a page leads to a page, an anchor or a file of the site. */
function leadsSomewhere(route: string, target: string): boolean {
  const [path = "", anchor] = target.split("#");
  if (path.startsWith("/")) return site.copies.has(path.slice(1));
  const page = pages.get(path === "" ? route : join(dirname(route), path));
  return page !== undefined && (anchor === undefined || anchorsOf(page).includes(anchor));
}
