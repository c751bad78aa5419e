import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, type Tool, type ToolContext, ModelRetry } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { afterEach, beforeEach, describe, expect, test, onTestFinished, vi } from "vitest";
import { fileTools, listFiles, searchFiles } from "../src/files.ts";
import { processorTime } from "./helpers/processor-time.ts";

let root: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "pollux-search-")));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(files: { readonly [path: string]: string | Uint8Array }): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

/** Calls a tool as the loop does: arguments are checked, then it runs. */
async function use(tool: Tool, args: object): Promise<unknown> {
  // The tools read nothing else of the context.
  return await tool.run(await tool.parse(args), { signal: new AbortController().signal } as ToolContext);
}

async function paths(args: object, options: object = {}): Promise<unknown> {
  const { entries } = (await use(listFiles({ root, ...options }), args)) as { entries: { path: string }[] };
  return entries.map(({ path }) => path);
}

describe("list_files with a glob", () => {
  beforeEach(() => write({ "a.ts": "", "a.md": "", "src/b.ts": "", "src/deep/c.tsx": "", "src/.hidden.ts": "" }));

  test.each([
    [{ glob: "*.ts" }, ["a.ts", "src/.hidden.ts", "src/b.ts"]],
    [{ glob: "src/*.ts" }, ["src/.hidden.ts", "src/b.ts"]],
    [{ glob: "**/*.{ts,tsx}" }, ["a.ts", "src/.hidden.ts", "src/b.ts", "src/deep/c.tsx"]],
    [{ glob: "deep/*", path: "src" }, ["src/deep/c.tsx"]],
    [{ glob: "src/deep/*", path: "src" }, ["src/deep/c.tsx"]],
    [{ glob: "*.py" }, []],
  ])("%j", async (args, expected) => {
    expect(await paths(args)).toEqual(expected);
  });
});

describe(".gitignore", () => {
  beforeEach(() =>
    write({
      ".gitignore": "*.log\n/build/\n!keep.log\n",
      "a.log": "",
      "keep.log": "",
      "build/out": "",
      "sub/.gitignore": "!a.log\nlocal\n",
      "sub/a.log": "",
      "sub/local": "",
      "sub/build/x": "",
      "sub/A.LOG": "",
    }),
  );

  test("applies in its folder and below, the nearest first, and its matches are counted", async () => {
    expect(await use(listFiles({ root }), { glob: "**" })).toEqual({
      path: ".",
      entries: [".gitignore", "keep.log", "sub/.gitignore", "sub/A.LOG", "sub/a.log", "sub/build/x"].map((path) => ({
        path,
        type: "file",
        bytes: expect.any(Number) as number,
      })),
      total: 6,
      ignored: 3,
    });
    expect(await paths({ path: "sub", recursive: true })).toEqual([
      "sub/.gitignore",
      "sub/A.LOG",
      "sub/a.log",
      "sub/build",
      "sub/build/x",
    ]);
  });

  test("is passed over when the model asks, and when it is switched off", async () => {
    expect(await paths({ include_ignored: true, glob: "*.log" })).toEqual(["a.log", "keep.log", "sub/a.log"]);
    expect(await paths({ glob: "*.log" }, { gitignore: false })).toEqual(["a.log", "keep.log", "sub/a.log"]);
    expect(await use(searchFiles({ root }), { pattern: "^", glob: "a.log" })).toMatchObject({ searched: 1 });
    expect(await use(searchFiles({ root }), { pattern: "^", glob: "a.log", include_ignored: true })).toMatchObject({
      searched: 2,
    });
  });

  test("cannot hang the walk by its patterns", async () => {
    write({ ".gitignore": `${"*a".repeat(20)}b\nsecret\n`, ["a".repeat(250)]: "", secret: "" });
    expect(await paths({ glob: "*" })).not.toContain("secret");
  });
});

describe("a line of .gitignore", () => {
  test.each<[string, readonly string[]]>([
    ["x/", ["y", "y/x"]],
    ["/x", ["y", "y/x"]],
    ["y/x", ["x", "x/b", "y"]],
    ["x/**", ["x", "y", "y/x"]],
    ["**/x", ["y"]],
    ["?\n!/x", ["x"]],
    ["[x]\r\n", ["y"]],
    ["x  ", ["y"]],
    ["#x\n\\y", ["x", "x/b"]],
    ["*\n!y\n!x", ["x", "y", "y/x"]],
  ])("%j leaves %j, as git does", async (rules, left) => {
    write({ "x/b": "", "y/x": "", ".gitignore": rules });
    const found = (await paths({ recursive: true })) as string[];
    expect(found.filter((path) => path !== ".gitignore")).toEqual(left);
  });

  test("of a folder above also excludes what is in a folder that the model names", async () => {
    write({ ".gitignore": "out/\n", "out/.gitignore": "!*", "out/sub/a": "" });
    expect(await use(listFiles({ root }), { path: "out/sub" })).toMatchObject({ total: 0, ignored: 1 });
  });
});

describe("search_files", () => {
  test("finds lines, with those around them, each once", async () => {
    write({ "a.txt": "1\n2 x\n3\n4 x\r\n5\n6\n7 X", "b/c.txt": "none", "d.bin": "x\0" });
    expect(await use(searchFiles({ root }), { pattern: "x$", context: 1 })).toEqual({
      files: [
        {
          path: "a.txt",
          matches: [
            { line: 2, text: "2 x", before: ["1"], after: ["3"] },
            { line: 4, text: "4 x", before: [], after: ["5"] },
          ],
        },
      ],
      total: 2,
      searched: 2,
    });
    expect(await use(searchFiles({ root }), { pattern: "x$", ignore_case: true, limit: 2 })).toEqual({
      files: [
        {
          path: "a.txt",
          matches: [
            { line: 2, text: "2 x" },
            { line: 4, text: "4 x" },
          ],
        },
      ],
      total: 2,
      searched: 1,
      note: "the search stopped at the limit of 2 matching lines",
    });
  });

  test("looks into one file, below one folder, and into what a glob means", async () => {
    write({ "a.ts": "x", "a.md": "x", "s/a.ts": "x" });
    const found = async (args: object): Promise<unknown> =>
      ((await use(searchFiles({ root }), { pattern: "x", ...args })) as { files: { path: string }[] }).files.map(
        ({ path }) => path,
      );
    expect(await found({})).toEqual(["a.md", "a.ts", "s/a.ts"]);
    expect(await found({ path: "a.md" })).toEqual(["a.md"]);
    expect(await found({ path: "s" })).toEqual(["s/a.ts"]);
    expect(await found({ glob: "*.md" })).toEqual(["a.md"]);
  });

  test("shows the part of a long line where the match is, and says what it did not look at", async () => {
    write({ "min.js": `${"a".repeat(5000)}needle${"b".repeat(30_000)}`, "big.txt": "needle\n".repeat(10_000) });
    const found = await use(searchFiles({ root, maxSearchBytes: 60_000 }), { pattern: "needle" });
    expect(found).toEqual({
      files: [{ path: "min.js", matches: [{ line: 1, text: `…${"a".repeat(100)}needle${"b".repeat(194)}…` }] }],
      total: 1,
      searched: 1,
      note: "files larger than 60000 bytes were skipped: 1; only the first 20000 characters of each line were searched; longer lines: 1",
    });
  });

  test("ends in linear time for any expression", async () => {
    // Twenty lines, since processor time is counted in steps of some milliseconds.
    write({ "a.txt": `${"a".repeat(19_000)}!\n`.repeat(20) });
    const search = (pattern: string): Promise<number> =>
      processorTime(async () => {
        expect(await use(searchFiles({ root }), { pattern })).toEqual({ files: [], total: 0, searched: 1 });
      });
    const plain = await search("^a+$");
    expect(await search("^(a+)+$")).toBeLessThan(20 * plain);
  });

  test("has the same time when the system's clock is set forward meanwhile", async () => {
    write({ "a.txt": "x\n" });
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const searching = use(searchFiles({ root }), { pattern: "x" });
    vi.setSystemTime(Date.now() + 3_600_000);
    expect(await searching).toMatchObject({ total: 1, searched: 1 });
    expect(await searching).not.toHaveProperty("note");
  });

  test("ends when its time is up, with what it has", async () => {
    write(Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`f${index}`, "x\n".repeat(1000)])));
    const found = await use(searchFiles({ root, searchMs: -1 }), { pattern: "x" });
    expect(found).toEqual({
      files: [],
      total: 0,
      searched: 0,
      note: "the search timed out before everything was searched; narrow it with a path or a glob",
    });
  });

  test("tells the model what is wrong with its expression", async () => {
    await expect(use(searchFiles({ root }), { pattern: "(a" })).rejects.toThrow(
      "pattern: error parsing regexp: missing closing ): `(a`; RE2 syntax supports neither lookaround nor backreferences",
    );
    await expect(use(searchFiles({ root }), { pattern: "(a" })).rejects.toBeInstanceOf(ModelRetry);
  });

  test("does not follow links", async () => {
    write({ "a.txt": "x" });
    symlinkSync("a.txt", join(root, "link"));
    symlinkSync("..", join(root, "up"));
    expect(await use(searchFiles({ root }), { pattern: "x" })).toMatchObject({ total: 1, searched: 1 });
  });
});

describe("several roots", () => {
  test("are listed, searched and read under their names", async () => {
    write({ "one/a.txt": "x", "two/b.txt": "x", "three/c.txt": "x" });
    const roots = { first: join(root, "one"), second: join(root, "two") };
    expect(await use(listFiles({ roots }), {})).toEqual({
      path: ".",
      entries: [
        { path: "first", type: "folder" },
        { path: "second", type: "folder" },
      ],
      total: 2,
    });
    expect(await paths({ recursive: true }, { root: undefined, roots: [roots.first, roots.second] })).toEqual([
      "one",
      "one/a.txt",
      "two",
      "two/b.txt",
    ]);
    expect(await paths({ path: "second" }, { root: undefined, roots })).toEqual(["second/b.txt"]);
    expect(await use(searchFiles({ roots }), { pattern: "x" })).toMatchObject({
      files: [{ path: "first/a.txt" }, { path: "second/b.txt" }],
    });
    const [, read] = fileTools({ roots });
    expect(await use(read as Tool, { path: "first/a.txt" })).toMatchObject({ path: "first/a.txt", text: "x" });
    for (const path of ["a.txt", "first/../../three/c.txt", "third/c.txt"])
      await expect(use(read as Tool, { path })).rejects.toThrow(/is in none of the folders|may point outside/);
  });

  test.each<[object]>([
    [{ root: "a", roots: ["b"] }],
    [{}],
    [{ roots: [] }],
    [{ roots: ["a/x", "b/x"] }],
    [{ roots: { "a/b": "x" } }],
    [{ roots: { a: " " } }],
  ])("%j is refused", (options) => {
    expect(() => fileTools(options)).toThrow(TypeError);
  });
});

test("an agent can search and read on", async () => {
  write({ "notes/todo.md": "buy milk\nTODO: call Ada\n" });
  const model = new ScriptedModel(
    call("search_files", { pattern: "TODO" }),
    call("read_file", { path: "notes/todo.md", first_line: 2 }),
    say("Call Ada."),
  );
  const result = await new Agent({ model, tools: fileTools({ root }) }).run("What is to do?");
  expect(result.text).toBe("Call Ada.");
  const answers = model.requests
    .at(-1)
    ?.contents.flatMap(({ parts }) => parts.flatMap(({ functionResponse }) => functionResponse?.response ?? []));
  expect(answers).toEqual([
    {
      output: {
        files: [{ path: "notes/todo.md", matches: [{ line: 2, text: "TODO: call Ada" }] }],
        total: 1,
        searched: 1,
      },
    },
    { output: { path: "notes/todo.md", text: "TODO: call Ada", first_line: 2, last_line: 2 } },
  ]);
});
