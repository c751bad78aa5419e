import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, type Tool, type ToolContext, ToolError } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { editFile, fileTools, readFile, SeenFiles, writeFile } from "../src/files.ts";

let base: string;
let root: string;

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "pollux-write-")));
  root = join(base, "root");
  mkdirSync(root);
});

afterEach(() => rmSync(base, { recursive: true, force: true }));

const put = (path: string, content: string | Uint8Array): void => writeFileSync(join(root, path), content);
const get = (path: string): string => readFileSync(join(root, path), "utf8");

/** Calls a tool as the loop does, and gathers what it reports. */
async function use(tool: Tool, args: object, reported: unknown[] = []): Promise<unknown> {
  const progress = async (value: unknown): Promise<void> => void reported.push(value);
  // The tools read nothing else of the context.
  const context = { signal: new AbortController().signal, progress } as unknown as ToolContext;
  return await tool.run(await tool.parse(args), context);
}

async function failure(used: Promise<unknown>): Promise<string> {
  const error = await used.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ToolError);
  return (error as ToolError).message;
}

describe("write_file", () => {
  test("makes a file and the folders on the way, reports the change, and does it once", async () => {
    const reported: unknown[] = [];
    const args = { path: "a/b/new.txt", content: "é\nb\n" };
    expect(await use(writeFile({ root }), args, reported)).toEqual({
      path: "a/b/new.txt",
      change: "created",
      bytes: 5,
      added: 2,
      removed: 0,
    });
    expect(reported).toEqual([{ type: "file-change", path: "a/b/new.txt", diff: "@@ -0,0 +1,2 @@\n+é\n+b" }]);
    expect(get("a/b/new.txt")).toBe("é\nb\n");
    // Another process continues the run, and has not seen the file read.
    expect(await use(writeFile({ root }), args, reported)).toEqual({
      path: "a/b/new.txt",
      change: "unchanged",
      bytes: 5,
      added: 0,
      removed: 0,
    });
    expect(reported).toHaveLength(1);
    expect(readdirSync(join(root, "a/b"))).toEqual(["new.txt"]);
  });

  test("replaces a file only when all of its present content was read", async () => {
    put("a.txt", "1\n2\n3\n");
    const tools = fileTools({ root, write: true });
    const [read, write] = ["read_file", "write_file"].map((name) => tools.find((tool) => tool.name === name) as Tool);
    const replace = (content: string): Promise<unknown> => use(write as Tool, { path: "a.txt", content });
    const refusal =
      '"a.txt" exists, and its current content has not been read completely; read it first, or change it with edit_file';
    expect(await failure(replace("4\n"))).toBe(refusal);
    await use(read as Tool, { path: "a.txt", lines: 2 });
    expect(await failure(replace("4\n"))).toBe(refusal);
    await use(read as Tool, { path: "a.txt", first_line: 3 });
    expect(await replace("1\n2\n4\n")).toEqual({
      path: "a.txt",
      change: "replaced",
      bytes: 6,
      added: 1,
      removed: 1,
      diff: "@@ -1,3 +1,3 @@\n 1\n 2\n-3\n+4",
    });
    // What it wrote itself it knows; what somebody else wrote since it does not.
    expect(await replace("5\n")).toMatchObject({ change: "replaced" });
    put("a.txt", "else\n");
    expect(await failure(replace("6\n"))).toBe(refusal);
    expect(get("a.txt")).toBe("else\n");
  });

  test("a line that was cut was not read", async () => {
    put("a.txt", "x".repeat(5000));
    const seen = new SeenFiles();
    await use(readFile({ root, seen }), { path: "a.txt" });
    expect(await failure(use(writeFile({ root, seen }), { path: "a.txt", content: "" }))).toContain(
      "has not been read",
    );
  });

  test("keeps mode, encoding, byte order mark and line ends, and follows links inside", async () => {
    put("a.txt", Buffer.from("\ufeffeins\r\nzwei\r\n", "utf16le"));
    chmodSync(join(root, "a.txt"), 0o751);
    symlinkSync("a.txt", join(root, "link"));
    const write = writeFile({ root, overwrite: true });
    expect(await use(write, { path: "link", content: "drei\nvier\n" })).toMatchObject({ change: "replaced" });
    expect(readFileSync(join(root, "a.txt"))).toEqual(Buffer.from("\ufeffdrei\r\nvier\r\n", "utf16le"));
    expect(statSync(join(root, "a.txt")).mode & 0o777).toBe(0o751);
    put("b.txt", Buffer.from("caf\xe9", "latin1"));
    await use(write, { path: "b.txt", content: "th\u00e9 5 \u20ac" });
    expect(readFileSync(join(root, "b.txt"))).toEqual(Buffer.from("th\xe9 5 \x80", "latin1"));
    expect(await failure(use(write, { path: "b.txt", content: "漢" }))).toBe(
      '"b.txt" is encoded in latin1, which lacks "漢"; leave that character out',
    );
  });

  test("leaves alone what is no text, too large, or no file", async () => {
    put("a.bin", Buffer.from([0, 1]));
    put("big.txt", "x".repeat(101));
    mkdirSync(join(root, "folder"));
    execFileSync("mkfifo", [join(root, "pipe")]);
    symlinkSync("nowhere", join(root, "dangling"));
    symlinkSync(base, join(root, "out"));
    symlinkSync(join(base, "new.txt"), join(root, "out-file"));
    const write = writeFile({ root, overwrite: true, maxFileBytes: 100 });
    for (const [path, message] of [
      ["a.bin", '"a.bin" is not text (2 bytes) and was not changed'],
      ["big.txt", '"big.txt" has 101 bytes; only files of up to 100 bytes can be changed'],
      ["folder", '"folder" is a folder; specify the path of a file'],
      [".", '"." is a folder; specify the path of a file'],
      ["pipe", '"pipe" is a device, a pipe or a socket, and cannot be written'],
      ["dangling", '"dangling" is a broken link and is not followed'],
      ["out-file", '"out-file" is a broken link and is not followed'],
      ["out/new.txt", '"out" is a link that points outside the folder and is not followed'],
      ["out/new/deep.txt", '"out" is a link that points outside the folder and is not followed'],
      ["../new.txt", '"../new.txt" may point outside the folder; use a path without ".."'],
      ["/new.txt", '"/new.txt" is absolute; use a path inside the folder, such as "new.txt"'],
    ])
      expect(await failure(use(write, { path, content: "x" }))).toBe(message);
    expect(await failure(use(write, { path: "c.txt", content: "é".repeat(51) }))).toBe(
      '"c.txt" would have 102 bytes; the maximum is 100',
    );
    expect(readdirSync(base)).toEqual(["root"]);
    expect(readdirSync(root)).not.toContain("c.txt");
  });

  test("does not begin when the run has ended", async () => {
    const controller = new AbortController();
    controller.abort(new Error("stop"));
    const tool = writeFile({ root });
    const context = { signal: controller.signal } as ToolContext;
    await expect(tool.run({ path: "a.txt", content: "x" }, context)).rejects.toThrow("stop");
    expect(existsSync(join(root, "a.txt"))).toBe(false);
  });
});

describe("edit_file", () => {
  const edit = (args: object, reported: unknown[] = []): Promise<unknown> => use(editFile({ root }), args, reported);

  test("makes several edits in one step, each in what those before it made", async () => {
    put("a.ts", "let a = 1;\nlet b = 2;\nlet c = a;\n");
    chmodSync(join(root, "a.ts"), 0o600);
    const reported: unknown[] = [];
    const diff = "@@ -1,3 +1,3 @@\n-let a = 1;\n+const $& = 1;\n let b = 2;\n-let c = a;\n+const c = $&;";
    expect(
      await edit(
        {
          path: "a.ts",
          edits: [
            { old_text: "let a", new_text: "const a" },
            { old_text: "let c", new_text: "const c" },
            { old_text: " a", new_text: " $&", all: true },
          ],
        },
        reported,
      ),
    ).toEqual({ path: "a.ts", replaced: 4, added: 2, removed: 2, diff });
    expect(reported).toEqual([{ type: "file-change", path: "a.ts", diff }]);
    expect(get("a.ts")).toBe("const $& = 1;\nlet b = 2;\nconst c = $&;\n");
    expect(statSync(join(root, "a.ts")).mode & 0o777).toBe(0o600);
  });

  test.each([
    [
      [{ old_text: "x", new_text: "y" }],
      "old_text occurs 2 times in the file (lines 1, 3); include more of the surrounding text, or set all",
    ],
    [
      [{ old_text: "if (a) {\n  go( );", new_text: "" }],
      'old_text is not in the file: it differs in white space from line 4: "if (a) {\\n\\tgo( );"',
    ],
    [
      [{ old_text: "return the_valeu;", new_text: "" }],
      'old_text is not in the file: the closest is line 6: "return the_value;"',
    ],
    [
      [{ old_text: "quite another thing", new_text: "" }],
      "old_text is not in the file: there is nothing like it; read the file again",
    ],
    [
      [{ old_text: "was there before", new_text: "return the_value;" }],
      "old_text is not in the file: there is nothing like it; read the file again; new_text is already at line 6: has this edit been made already?",
    ],
    [[{ old_text: "x", new_text: "x" }], "old_text and new_text are the same"],
    [
      [
        { old_text: "go", new_text: "run" },
        { old_text: "go", new_text: "run" },
      ],
      "edits[1].old_text is not in the file: there is nothing like it; read the file again; new_text is already at line 5: has this edit been made already?",
    ],
  ])("changes nothing when an edit does not fit %#", async (edits, problem) => {
    const text = "x\n\nx\nif (a) {\n\tgo( );\nreturn the_value;\n";
    put("a.ts", text);
    expect(await failure(edit({ path: "a.ts", edits }))).toBe(`"a.ts" was not changed: ${problem}`);
    expect(get("a.ts")).toBe(text);
    expect(readdirSync(root)).toEqual(["a.ts"]);
  });

  test("takes the line ends that the file has", async () => {
    put("a.txt", "one\r\ntwo\r\n");
    await edit({ path: "a.txt", edits: [{ old_text: "one\ntwo", new_text: "1\n2\n3" }] });
    expect(get("a.txt")).toBe("1\r\n2\r\n3\r\n");
  });

  test("does not spoil bytes that are no UTF-8, however late they come", async () => {
    const late = Buffer.concat([Buffer.from("a\n".repeat(10_000)), Buffer.from([0xe9, 0x0a])]);
    put("a.txt", late);
    await edit({ path: "a.txt", edits: [{ old_text: "é", new_text: "éé" }] });
    expect(readFileSync(join(root, "a.txt"))).toEqual(Buffer.concat([late.subarray(0, -1), Buffer.from([0xe9, 0x0a])]));
  });

  test("needs a file, and makes no folders for it", async () => {
    expect(await failure(edit({ path: "no/a.txt", edits: [{ old_text: "a", new_text: "b" }] }))).toBe(
      '"no/a.txt" does not exist; use list_files to see what there is',
    );
    expect(readdirSync(root)).toEqual([]);
  });

  test("cuts a long diff for the model, not for observers of progress", async () => {
    put("a.txt", "old line\n".repeat(500));
    const reported: { diff: string }[] = [];
    const edits = [{ old_text: "old", new_text: "new", all: true }];
    const { diff, ...rest } = (await edit({ path: "a.txt", edits }, reported)) as { diff: string };
    expect(rest).toEqual({ path: "a.txt", replaced: 500, added: 500, removed: 500 });
    expect(diff).toMatch(/^@@ -1,500 \+1,500 @@\n-old line\n[^]*\n\[diff cut: \d+ more lines\]$/);
    expect(diff.length).toBeLessThan(2100);
    expect(reported[0]?.diff.split("\n")).toHaveLength(1001);
  });
});

describe("in an agent", () => {
  test("a file is read, replaced and edited, and the diffs are events", async () => {
    put("a.txt", "one\n");
    const model = new ScriptedModel(
      call("write_file", { path: "a.txt", content: "two\n" }),
      call("read_file", { path: "a.txt" }),
      call("write_file", { path: "a.txt", content: "two\n" }),
      call("edit_file", { path: "a.txt", edits: [{ old_text: "two", new_text: "three" }] }),
      say("Done."),
    );
    const stream = new Agent({ model, tools: fileTools({ root, write: true }) }).stream("Change a.txt.");
    const progress: unknown[] = [];
    for await (const event of stream) if (event.type === "tool-progress") progress.push(event.progress);
    expect((await stream.result()).text).toBe("Done.");
    expect(progress).toEqual([
      { type: "file-change", path: "a.txt", diff: "@@ -1,1 +1,1 @@\n-one\n+two" },
      { type: "file-change", path: "a.txt", diff: "@@ -1,1 +1,1 @@\n-two\n+three" },
    ]);
    expect(get("a.txt")).toBe("three\n");
  });

  test("a person is asked as `approve` says, by path", async () => {
    const script = [call("write_file", { path: "a.txt", content: "x" }), say("As you wish.")];
    const asked: unknown[] = [];
    const approve = ({ path }: { path: string }): boolean => path.endsWith(".txt");
    const agent = new Agent({
      model: new ScriptedModel(...script),
      tools: fileTools({ root, write: true, approve }),
      approve: async ({ call: { args } }) => {
        asked.push(args);
        return { deny: "not today" };
      },
    });
    expect((await agent.run("Write.")).text).toBe("As you wish.");
    expect(asked).toEqual([{ path: "a.txt", content: "x" }]);
    expect(readdirSync(root)).toEqual([]);
  });
});
