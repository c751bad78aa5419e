import { linkSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Tool, type ToolContext, ToolError, ModelRetry } from "@pollux/core";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { editFile, fileStats, listFiles, readFile, searchFiles, writeFile } from "../src/files.ts";
import { applyEdits } from "../src/files/apply-edits.ts";
import { processorTime } from "./helpers/processor-time.ts";

let base: string;
let root: string;

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "pollux-hostile-")));
  root = join(base, "root");
  mkdirSync(root);
});

afterEach(() => rmSync(base, { recursive: true, force: true }));

const put = (path: string, content: string): void => writeFileSync(join(root, path), content);

async function use(tool: Tool, args: object): Promise<unknown> {
  const context = { signal: new AbortController().signal, progress: async () => {} } as unknown as ToolContext;
  return await tool.run(await tool.parse(args), context);
}

/** Counts how often everything else in this process gets a turn. */
function heartbeat(): { readonly beats: () => number } {
  let [beats, isOver] = [0, false];
  const beat = (): void => {
    beats++;
    if (!isOver) setImmediate(beat);
  };
  setImmediate(beat);
  onTestFinished(() => void (isOver = true));
  return { beats: () => beats };
}

async function names(glob: string): Promise<readonly string[]> {
  const { entries } = (await use(listFiles({ root }), { glob })) as { entries: { path: string }[] };
  return entries.map(({ path }) => path);
}

describe("a glob", () => {
  // Each took more than 2^30 steps for one name when ways through the pattern were tried one after the other.
  test.each([
    "{?,?}".repeat(55),
    `${"{a,a}".repeat(38)}b`,
    `${"*a".repeat(100)}b`,
    `${"**/".repeat(50)}b`,
    `${"{".repeat(40)}${"a,a}".repeat(40)}b`,
    "+(a|aa)+(a|aa)b",
  ])("is matched in linear time: %s", async (glob) => {
    put("a".repeat(38), "");
    expect(await names(glob)).toEqual([]);
    expect(await use(searchFiles({ root }), { pattern: "x", glob })).toMatchObject({ total: 0, searched: 0 });
  });

  test.each<[string, readonly string[]]>([
    ["a**c", ["abc"]],
    ["[!a]*.*", ["b.ts"]],
    ["[^abd]*", ["d/e/f", "{x}"]],
    ["[a-b]?[c]", ["abc"]],
    ["{a,b}*", ["abc", "b.ts"]],
    ["{a..b}*", ["abc", "b.ts"]],
    ["*.{ts}", ["b.ts"]],
    ["{a{b,x}c,{b.t,}s}", ["abc", "b.ts"]],
    [String.raw`\{x\}`, ["{x}"]],
    ["[a", []],
    ["{x}", []],
    ["./b.*", ["b.ts"]],
    ["{d/**,**/b.ts}", ["b.ts", "d/e/f"]],
    ["d/**/f", ["d/e/f"]],
    ["d/**/e/**/f", ["d/e/f"]],
    ["**/*e/f", ["d/e/f"]],
    ["d/*", []],
    ["d?e/f", []],
    ["d[/]e/f", []],
  ])("%s matches %j", async (glob, expected) => {
    for (const name of ["abc", "b.ts", "{x}"]) put(name, "");
    mkdirSync(join(root, "d/e"), { recursive: true });
    put("d/e/f", "");
    expect(await names(glob)).toEqual(expected);
  });
});

test("a .gitignore of many costly lines is matched in bounded time, and the event loop runs meanwhile", async () => {
  put(".gitignore", `${"*a".repeat(30)}b\n`.repeat(3_000));
  for (let index = 0; index < 8; index++) put("a".repeat(70) + index, "");
  const { beats } = heartbeat();
  expect(await use(listFiles({ root }), {})).toMatchObject({ total: 9 });
  // Each name costs more steps than may pass between two turns.
  expect(beats()).toBeGreaterThanOrEqual(8);
});

describe("a regular expression", () => {
  test.each([
    "(?:.?){1000}".repeat(20),
    `(?:${"a".repeat(900)}){100}`,
    String.raw`(?:[^\]{9}][[:alpha:]{}]\Q{\E){999}{2}`,
  ])("that is too large is refused before it is compiled: %s", async (pattern) => {
    put("a.txt", "a".repeat(20_000));
    const asked = use(searchFiles({ root }), { pattern });
    await expect(asked).rejects.toBeInstanceOf(ModelRetry);
    await expect(asked).rejects.toThrow(/^pattern: /);
  });

  test("searches less of a line the larger it is, says so, and lets the event loop run between the lines", async () => {
    const lines = 30;
    put("a.txt", `${"a".repeat(2_000)}!\n`.repeat(lines));
    const { beats } = heartbeat();
    expect(await use(searchFiles({ root }), { pattern: "(?:.?){1000}!" })).toEqual({
      files: [],
      total: 0,
      searched: 1,
      note: `only the first 998 characters of each line were searched; longer lines: ${lines}`,
    });
    // All lines are in memory after one read.
    expect(beats()).toBeGreaterThanOrEqual(lines);
  });
});

describe("edit_file", () => {
  const cost = (lines: number, wanted: string): Promise<number> =>
    processorTime(async () => {
      const options = { isCrlf: false, maxCharacters: 4_000_000, signal: new AbortController().signal };
      const edited = await applyEdits("a\n".repeat(lines), [{ old_text: wanted, new_text: "x" }], options);
      expect(edited).toHaveProperty("problem");
    });

  // By what it costs at an eighth of the size: eight times as much, or sixty-four where each place is compared to the end.
  test.each<[string, (lines: number) => string]>([
    ["lines of white space", (lines) => `${"a \n".repeat(lines / 9)}b`],
    ["a text that differs in its middle", (lines) => `${"a\n".repeat(lines / 9)}b${"a\n".repeat(lines / 9)}`],
    ["one long line", (lines) => `b${"a".repeat(lines)}`],
  ])("looks for %s in proportion to the size", async (_name, wanted) => {
    await cost(90_000, wanted(90_000));
    const small = Math.max(10, await cost(90_000 / 8, wanted(90_000 / 8)));
    expect(await cost(90_000, wanted(90_000))).toBeLessThan(30 * small);
  });

  test("applies many costly edits one by one, and the event loop runs in between", async () => {
    put("a.txt", "ab".repeat(100_000));
    const swaps = [
      { old_text: "ab", new_text: "ba", all: true },
      { old_text: "ba", new_text: "ab", all: true },
    ];
    const edits = Array.from({ length: 25 }, () => swaps).flat();
    const { beats } = heartbeat();
    expect(await use(editFile({ root }), { path: "a.txt", edits })).toMatchObject({ added: 0, removed: 0 });
    expect(beats()).toBeGreaterThanOrEqual(edits.length);
  });

  test("refuses an edit that would make the file too large, before it makes the text", async () => {
    put("a.txt", "a".repeat(1_000_000));
    const edits = [{ old_text: "a", new_text: "b".repeat(100_000), all: true }];
    await expect(use(editFile({ root }), { path: "a.txt", edits })).rejects.toThrow(
      new ToolError(
        '"a.txt" was not changed: with old_text, the file would have 100000000000 characters; at most 4000000 are allowed',
      ),
    );
  });
});

describe("a hard link to a file outside", () => {
  const refused = '"link.txt" has more than one hard link and may also be outside the folder; use another file';

  beforeEach(() => {
    writeFileSync(join(base, "outside.txt"), "SECRET\n");
    linkSync(join(base, "outside.txt"), join(root, "link.txt"));
    put("own.txt", "own\n");
  });

  test("is refused by every tool when the author says so", async () => {
    const options = { root, hardLinks: false, overwrite: true };
    for (const [tool, args] of [
      [readFile(options), {}],
      [fileStats(options), {}],
      [searchFiles(options), { pattern: "." }],
      [writeFile(options), { content: "x" }],
      [editFile(options), { edits: [{ old_text: "SECRET", new_text: "x" }] }],
    ] as const) {
      const used = use(tool, { ...args, path: "link.txt" });
      await expect(used, tool.name).rejects.toThrow(new ToolError(refused));
    }
    expect(await use(searchFiles(options), { pattern: "." })).toEqual({
      files: [{ path: "own.txt", matches: [{ line: 1, text: "own" }] }],
      total: 1,
      searched: 1,
      note: "files with more than one hard link were skipped: 1",
    });
    expect(readFileSync(join(base, "outside.txt"), "utf8")).toBe("SECRET\n");
  });

  test("counts as inside by default", async () => {
    expect(await use(readFile({ root }), { path: "link.txt" })).toMatchObject({ text: "SECRET" });
  });
});
