import { globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readPage, ROOT, userPages, withoutCode } from "./support/pages.ts";

/** Words that stop a reader, and what to write. Add one here, and the test names every place that has it. */
const INSTEAD: readonly (readonly [words: RegExp, instead: string])[] = [
  // Nobody acts, or nobody knows who.
  [/\bwho(?:so)?ever\b/, "name the person, the process or the caller"],
  [/\b(?:is|are|was|were|be|been|being) told\b/, "reads, learns, gets, is notified: say who and how"],
  [/\b(?:is|are|was|were|be|been) said\b/, "name who writes or sends it"],
  [/\b(?:is|are|was|were|be|been) heard\b/, "read, received"],
  [/\b(?:had said|said of|says of|say of)\b/, "“wrote”, “says about”, or the noun: “the text so far”"],
  [/\bwhat (?:was|is|were) (?:asked for|said|told|heard)\b/, "the noun: the question, the message, the request"],
  [/\bwhat (?:has |had )?(?:becomes?|became|come|comes|came) of\b/, "what happens to; the result of"],
  [/\b(?:has|have|had) come to\b/, "the result of"],
  // Chains that need a second reading.
  [/\bof what (?:is|was|are|were|has|had)\b/, "the noun that it stands for"],
  [/\bwhat of\b/, "which part of"],
  [/\bthose that\b/, "repeat the noun, or “the ones that”"],
  [/\bof which (?:it|all|the first)\b/, "whose; or two sentences"],
  [/\b(?:is|are) to be\b/, "should, must or will be"],
  [/\bthat is to\b/, "that should, must or will"],
  // Words of another century.
  [/\banew\b/, "again, from scratch; “restarts”, “starts over”"],
  [/\bthrice\b/, "three times"],
  [/\bbut for\b/, "except"],
  [/\bcan be had\b/, "is available"],
  [/\bin whatever\b/, "in any"],
  [/\b(?:go|goes|going|went|gone) on with\b/, "continue"],
  [/\b(?:thereof|therein|whereby|hence|upon|whilst|amongst)\b/, "of it, in it, so, on, while, among"],
  // British spellings.
  [/\b\w*(?:[bv]iour|colour|favour|flavour|harbour|honour|humour|labour|neighbour)\w*\b/, "-or-"],
  [
    /\b(?:catalogue|licence(?!:)|programme|centre|metre|litre|artefact|grey|defence|judgement|draught)s?\b/,
    "catalog, license, program, center, meter, artifact …",
  ],
  [
    /\b(?:serial|normal|recogn|organ|initial|optim|summar|minim|maxim|author|custom|priorit|real)is(?:e|ed|es|ing|ation)\b(?! summarize)/,
    "-iz-",
  ],
  [
    /\b(?:towards|afterwards(?!: "|\?:| =|\.\w)|backwards|forwards|for ever)\b/,
    "toward, afterward, backward, forward, forever",
  ],
  [/\b(?:modelling|labelled|labelling|travelling|signalled|signalling)\b/, "one l"],
];

/** Folders with sources that a person reads. */
const SOURCES: readonly string[] = [
  ...readdirSync(join(ROOT, "packages")).map((name) => `packages/${name}/src`),
  "packages/create-pollux/templates",
  "packages/inspector/page",
  "bench",
  "examples",
  "scripts",
  "site/src",
  ..."browser clients contract/checks contract/values cost deploys docs/support".split(" ").map(inTest),
  ..."docs/what-changes engines exchanges faults improvise laws live mcp newcomer packaging".split(" ").map(inTest),
  ..."races rehearsal runtimes site support symptoms untrusted web-hosts workflows".split(" ").map(inTest),
];
/** Written by programs, or what was decided once. */
const NOT_OURS = /^docs\/(?:decisions\/|contract\.md|unverified\.md)/;

const pages = [
  ...userPages().filter((page) => !NOT_OURS.test(page)),
  "AGENTS.md",
  "CONTRIBUTING.md",
  "REVIEW.md",
  "SECURITY.md",
  ...["bench", "examples", "scripts", "site", "test", "test/contract"].map((folder) => `${folder}/README.md`),
  ...filesIn(".changeset").filter((file) => file.endsWith(".md")),
];

describe("words that we don't use", () => {
  test.each(pages)("%s has none", (page) => {
    expect(findWords(proseOf(readPage(page)))).toEqual([]);
  });

  test.each(SOURCES)("the sources in %s have none", (folder) => {
    const files = filesIn(folder);
    expect(files.length).toBeGreaterThan(0);
    const found = files.flatMap((file) =>
      findWords(joinComments(readFileSync(join(ROOT, file), "utf8"))).map((problem) => `${file}: ${problem}`),
    );
    expect(found).toEqual([]);
  });

  test.each([
    ["A message for whoever reads it.", "whoever"],
    ["// The behaviour of\n  // what was read.", "behaviour"],
    ["// The behaviour of\n  // what was read.", "of what was"],
    ["/**\n * Gives those\n * that are open.\n */", "those that"],
    ["It is told\nso.", "is told"],
  ])("%j is found", (text, words) => {
    expect(findWords(joinComments(text)).join("\n")).toContain(`“${words}”`);
  });
});

function inTest(name: string): string {
  return `test/${name}`;
}

/** Each place with its surroundings, and what to write instead. */
function findWords(text: string): readonly string[] {
  return INSTEAD.flatMap(([words, instead]) =>
    [...text.matchAll(new RegExp(words, "gi"))].map(({ 0: found, index }) => {
      const around = text.slice(Math.max(0, index - 40), index + found.length + 40).replaceAll(/\s+/g, " ");
      return `“${found}” in “${around}”: ${instead}`;
    }),
  );
}

/** A page without code, addresses, names of tests and blocks that programs write. */
function proseOf(page: string): string {
  return withoutCode(page)
    .replaceAll(/^\|.*\.test\.ts.*$/gm, "")
    .replaceAll(/<!-- [\w ]+: written by[^]*?<!-- end of[^]*?-->/g, "")
    .replaceAll(/`[^`]*`/g, "code")
    .replaceAll(/\]\([^)]*\)/g, "]")
    .replaceAll(/\s+/g, " ");
}

/** Joins the lines of comments, so that a phrase is found across them. */
function joinComments(source: string): string {
  return source.replaceAll(/\n\s*(?:\*(?!\/)|\/\/) ?/g, " ").replaceAll(/\s+/g, " ");
}

/** Texts of a folder and of those below it, as paths from the root. Folders of dependencies are not entered: they have half a million files. */
function filesIn(folder: string): readonly string[] {
  return globSync("**/*.{ts,tsx,mjs,js,md,css,html}", {
    cwd: join(ROOT, folder),
    exclude: ["**/node_modules", "**/dist", "**/data"],
  }).map((file) => `${folder}/${file.replaceAll("\\", "/")}`);
}
