import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Tool, ToolError, ModelRetry, type ToolContext } from "@pollux/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fileStats, fileTools, listFiles, readFile } from "../src/files.ts";

let base: string;
let root: string;

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "pollux-files-")));
  root = join(base, "root");
  mkdirSync(root);
});

afterEach(() => rmSync(base, { recursive: true, force: true }));

function write(path: string, content: string | Uint8Array): void {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), content);
}

/** Calls a tool as the loop does: arguments are checked, then it runs. */
async function use(tool: Tool, args: object, signal: AbortSignal = new AbortController().signal): Promise<unknown> {
  // The tools read nothing else of the context.
  return await tool.run(await tool.parse(args), { signal } as ToolContext);
}

async function failure(used: Promise<unknown>): Promise<string> {
  const error = await used.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ToolError);
  return (error as ToolError).message;
}

test("fileTools gives the reading tools, and the writing ones with `write`", () => {
  const named = (tools: readonly Tool[]): unknown => tools.map(({ name, effects }) => [name, effects]);
  const reading = [
    ["list_files", "none"],
    ["read_file", "none"],
    ["search_files", "none"],
    ["file_stats", "none"],
  ];
  expect(named(fileTools({ root }))).toEqual(reading);
  expect(named(fileTools({ root, write: true }))).toEqual([
    ...reading,
    ["write_file", "idempotent"],
    ["edit_file", "once"],
  ]);
});

test("a root is needed", () => {
  expect(() => fileTools({ root: " " })).toThrow(TypeError);
});

describe("list_files", () => {
  test("lists one folder, in order, without what is skipped", async () => {
    for (const path of ["b.txt", "a.txt", "src/x.ts", "node_modules/m/index.js", ".git/config", "dist/out.js"])
      write(path, "12345");
    symlinkSync("a.txt", join(root, "link"));
    expect(await use(listFiles({ root }), {})).toEqual({
      path: ".",
      entries: [
        { path: "a.txt", type: "file", bytes: 5 },
        { path: "b.txt", type: "file", bytes: 5 },
        { path: "link", type: "link" },
        { path: "src", type: "folder" },
      ],
      total: 4,
    });
  });

  test("goes into folders when asked, never through links, and pages", async () => {
    for (const path of ["a/1", "a/b/2", "a/b/dist/3", "c"]) write(path, "x");
    symlinkSync(join(root, "a"), join(root, "d"));
    const tool = listFiles({ root });
    const paths = async (args: object): Promise<unknown> => {
      const { entries, ...rest } = (await use(tool, { recursive: true, ...args })) as { entries: { path: string }[] };
      return { ...rest, entries: entries.map(({ path }) => path) };
    };
    expect(await paths({})).toEqual({ path: ".", entries: ["a", "a/1", "a/b", "a/b/2", "c", "d"], total: 6 });
    expect(await paths({ offset: 1, limit: 2 })).toEqual({
      path: ".",
      entries: ["a/1", "a/b"],
      total: 6,
      next_offset: 3,
    });
    expect(await paths({ path: "./a/", offset: 2 })).toEqual({ path: "a", entries: ["a/b/2"], total: 3 });
  });

  test("skips the names it is given", async () => {
    for (const path of ["secret.txt", "dist/a"]) write(path, "x");
    expect(await use(listFiles({ root, skip: ["secret.txt"] }), {})).toEqual({
      path: ".",
      entries: [{ path: "dist", type: "folder" }],
      total: 1,
    });
  });

  test.each([[false], [true]])("stops at the most entries it may look at (recursive: %s)", async (recursive) => {
    for (let index = 0; index < 8; index++) write(`f${index}`, "x");
    const list = await use(listFiles({ root, maxEntries: 5 }), { recursive });
    expect(list).toMatchObject({
      total: 5,
      note: "only the first 5 entries were examined; list a subfolder",
    });
  });

  test("sends the model to the right tool for a file", async () => {
    write("a.txt", "x");
    expect(await failure(use(listFiles({ root }), { path: "a.txt" }))).toBe(
      '"a.txt" is a file; use read_file to read it',
    );
  });
});

describe("read_file", () => {
  test("reads a whole file with any line endings, without its byte order mark", async () => {
    write("a.txt", "\ufeffé 漢\r\n\n😀\n");
    expect(await use(readFile({ root }), { path: "a.txt" })).toEqual({
      path: "a.txt",
      text: "é 漢\n\n😀",
      first_line: 1,
      last_line: 3,
    });
  });

  test("reads an empty file", async () => {
    write("a.txt", "");
    expect(await use(readFile({ root }), { path: "a.txt" })).toEqual({
      path: "a.txt",
      text: "",
      first_line: 1,
      last_line: 0,
    });
  });

  test("pages by lines, and the pages make the file", async () => {
    const lines = Array.from({ length: 9001 }, (_, index) => `line ${index} ${"漢".repeat(index % 40)}`);
    write("long.txt", lines.join("\n"));
    const tool = readFile({ root });
    expect(await use(tool, { path: "long.txt", first_line: 3, lines: 2 })).toEqual({
      path: "long.txt",
      text: lines.slice(2, 4).join("\n"),
      first_line: 3,
      last_line: 4,
      next_line: 5,
    });
    const pages: string[] = [];
    for (let next: number | undefined = 1; next !== undefined;) {
      const page = (await use(tool, { path: "long.txt", first_line: next, lines: 5000 })) as {
        text: string;
        next_line?: number;
      };
      expect(page.text.length).toBeLessThanOrEqual(40_000);
      pages.push(page.text);
      next = page.next_line;
    }
    expect(pages.join("\n")).toBe(lines.join("\n"));
  });

  test("cuts a line that is too long, visibly", async () => {
    write("min.js", `${"x".repeat(150_000)}\nend`);
    expect(await use(readFile({ root }), { path: "min.js" })).toEqual({
      path: "min.js",
      text: `${"x".repeat(2000)}… [line truncated: 148000 more characters]\nend`,
      first_line: 1,
      last_line: 2,
    });
  });

  test.each<[string, Uint8Array, string]>([
    ["a.png", Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin1"), "PNG image of 16 bytes"],
    ["a.pdf", Buffer.from("%PDF-1.7\n1 0 obj"), "PDF document of 16 bytes"],
    ["a.bin", Buffer.from([1, 2, 0, 3]), "binary file of 4 bytes"],
    ["utf-32.txt", Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]), "binary file of 8 bytes"],
    ["noise", Buffer.from([0xe9, 0x02, 0x61, 0x62]), "binary file of 4 bytes"],
  ])("refuses %s and says what it is", async (path, bytes, what) => {
    write(path, bytes);
    expect(await failure(use(readFile({ root }), { path }))).toBe(
      `"${path}" is not text but a ${what}; choose another file`,
    );
  });

  test.each([
    ["utf-16le", Buffer.from("\ufeffé 漢\r\n😀", "utf16le"), "é 漢\n😀"],
    ["utf-16be", Buffer.from("\ufeffé 漢\r\n😀", "utf16le").swap16(), "é 漢\n😀"],
    ["latin1", Buffer.from("caf\xe9 au lait\nencore", "latin1"), "café au lait\nencore"],
  ])("reads %s and says so", async (encoding, bytes, text) => {
    write("a.txt", bytes);
    expect(await use(readFile({ root }), { path: "a.txt" })).toEqual({
      path: "a.txt",
      text,
      first_line: 1,
      last_line: 2,
      encoding,
    });
  });

  test("says how long the file is when asked for lines behind its end", async () => {
    write("a.txt", "1\n2\n");
    expect(await failure(use(readFile({ root }), { path: "a.txt", first_line: 7 }))).toBe(
      '"a.txt" has only 2 lines; first_line is 7',
    );
  });

  test("refuses arguments that make no sense before it looks at the disk", async () => {
    await expect(use(readFile({ root }), { path: "a.txt", lines: 0 })).rejects.toBeInstanceOf(ModelRetry);
    await expect(use(readFile({ root }), {})).rejects.toBeInstanceOf(ModelRetry);
  });
});

describe("file_stats", () => {
  test.each<[string, object]>([
    ["", { bytes: 0, kind: "text", lines: 0, words: 0 }],
    ["one two\nthree\n", { bytes: 14, kind: "text", lines: 2, words: 3 }],
    [" é 漢\n\nlast", { bytes: 13, kind: "text", lines: 3, words: 3 }],
    [`${"漢 ".repeat(50_000)}end`, { bytes: 200_003, kind: "text", lines: 1, words: 50_001 }],
    ["x".repeat(200_000), { bytes: 200_000, kind: "text", lines: 1, words: 1 }],
  ])("counts lines and words %#", async (content, stats) => {
    write("a.txt", content);
    expect(await use(fileStats({ root }), { path: "a.txt" })).toEqual({ path: "a.txt", ...stats });
  });

  test("gives size and kind of files that are not text", async () => {
    write("a.gz", Buffer.from([0x1f, 0x8b, 8, 0]));
    expect(await use(fileStats({ root }), { path: "a.gz" })).toEqual({ path: "a.gz", bytes: 4, kind: "gzip archive" });
  });
});

describe.each([
  ["list_files", listFiles as (options: { root: string }) => Tool],
  ["read_file", readFile as (options: { root: string }) => Tool],
  ["file_stats", fileStats as (options: { root: string }) => Tool],
])("%s stays inside its folder", (name, make) => {
  test.each([
    ["../secret.txt", '"../secret.txt" may point outside the folder; use a path without ".."'],
    ["a/../../secret.txt", '"a/../../secret.txt" may point outside the folder; use a path without ".."'],
    ["..\\secret.txt", '"..\\secret.txt" may point outside the folder; use a path without ".."'],
    ["/etc/passwd", '"/etc/passwd" is absolute; use a path inside the folder, such as "passwd"'],
    ["a.txt\0.png", '"a.txt\0.png" may point outside the folder; use a path without ".."'],
    ["out/secret.txt", '"out/secret.txt" is a link that points outside the folder and is not followed'],
    ["out", '"out" is a link that points outside the folder and is not followed'],
    ["secret-link", '"secret-link" is a link that points outside the folder and is not followed'],
    ["cycle", '"cycle" is a circular link'],
    ["missing.txt", '"missing.txt" does not exist; use list_files to see what there is'],
    [
      "a.txt/b",
      '"a.txt/b" does not exist: part of the path is a file, not a folder; use list_files to see what there is',
    ],
  ])("refuses %j", async (path, message) => {
    writeFileSync(join(base, "secret.txt"), "secret");
    write("a.txt", "x");
    symlinkSync(base, join(root, "out"));
    symlinkSync(join(base, "secret.txt"), join(root, "secret-link"));
    symlinkSync("cycle", join(root, "cycle"));
    expect(await failure(use(make({ root }), { path }))).toBe(message);
  });

  test("is not fooled by a neighbor whose name begins the same", async () => {
    mkdirSync(`${root}-other`);
    writeFileSync(`${root}-other/secret.txt`, "secret");
    symlinkSync(`${root}-other`, join(root, "near"));
    expect(await failure(use(make({ root }), { path: "near" }))).toBe(
      '"near" is a link that points outside the folder and is not followed',
    );
  });

  test("says so when the folder is gone", async () => {
    expect(await failure(use(make({ root: join(base, "gone") }), { path: "a" }))).toBe(
      "the folder itself does not exist; use list_files to see what there is",
    );
  });

  test("stops when the signal aborts", async () => {
    write("a.txt", "x");
    const reason = new Error("stop");
    await expect(
      use(make({ root }), { path: name === "list_files" ? "." : "a.txt" }, AbortSignal.abort(reason)),
    ).rejects.toBe(reason);
  });
});

test("links that stay inside are followed by what reads", async () => {
  write("a/b.txt", "x");
  symlinkSync("a", join(root, "inside"));
  expect(await use(readFile({ root }), { path: "inside/b.txt" })).toEqual({
    path: "inside/b.txt",
    text: "x",
    first_line: 1,
    last_line: 1,
  });
});

describe.each([
  ["read_file", readFile as (options: { root: string }) => Tool],
  ["file_stats", fileStats as (options: { root: string }) => Tool],
])("%s", (_name, make) => {
  test("refuses a folder", async () => {
    mkdirSync(join(root, "a"));
    expect(await failure(use(make({ root }), { path: "a" }))).toBe(
      '"a" is a folder; use list_files to see what is in it',
    );
  });

  test.skipIf(process.platform === "win32")("refuses a pipe without waiting for it", async () => {
    execFileSync("mkfifo", [join(root, "pipe")]);
    expect(await failure(use(make({ root }), { path: "pipe" }))).toBe(
      '"pipe" is a device, a pipe or a socket, and cannot be read',
    );
  });

  test.skipIf(process.platform === "win32" || process.getuid?.() === 0)("refuses what it may not read", async () => {
    write("a.txt", "x");
    chmodSync(join(root, "a.txt"), 0);
    expect(await failure(use(make({ root }), { path: "a.txt" }))).toBe(
      '"a.txt" cannot be read: this program lacks the permission',
    );
  });
});
