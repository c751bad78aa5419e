import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Tool, type ToolContext, ToolFailure } from "@pollux/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { editFile, fileStats, listFiles, readFile, searchFiles, writeFile } from "../src/files.ts";

let base: string;
let root: string;
let outside: string;

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "pollux-inside-")));
  root = join(base, "root");
  outside = join(base, "outside");
  for (const folder of [root, outside]) mkdirSync(join(folder, "deep"), { recursive: true });
  writeFileSync(join(outside, "deep/a.txt"), "SECRET\n");
  writeFileSync(join(outside, "deep/only-outside.txt"), "SECRET\n");
});

afterEach(() => rmSync(base, { recursive: true, force: true }));

/** Calls a tool as the loop does; what it refuses is given back as text. */
async function use(tool: Tool, args: object): Promise<string> {
  const context = { signal: new AbortController().signal, progress: async () => {} } as unknown as ToolContext;
  try {
    return JSON.stringify(await tool.run(await tool.parse(args), context));
  } catch (error) {
    if (!(error instanceof ToolFailure)) throw error;
    return `refused: ${error.message}`;
  }
}

/** Swaps `root/swap` between a folder and a link to the outside, as fast as it can, until it is closed. */
async function swapping(): Promise<AsyncDisposable> {
  const program = `
    const { renameSync, rmSync, symlinkSync, unlinkSync } = require("node:fs");
    const { join } = require("node:path");
    const [root, outside] = process.argv.slice(1);
    const at = join(root, "swap"), away = join(root, ".away");
    const end = Date.now() + 20_000;
    process.stdout.write("on");
    // The tools may have made a folder in the place that was empty for a moment.
    const put = (make) => { try { make(); } catch { rmSync(at, { recursive: true, force: true }); make(); } };
    while (Date.now() < end) {
      try {
        renameSync(at, away); put(() => symlinkSync(outside, at));
        for (let spin = 0; spin < 20_000 * Math.random(); spin++);
        unlinkSync(at); put(() => renameSync(away, at));
        for (let spin = 0; spin < 20_000 * Math.random(); spin++);
      } catch {
        // It was quicker twice: begin again.
        rmSync(at, { recursive: true, force: true });
        try { renameSync(away, at); } catch {}
      }
    }`;
  const child = spawn(process.execPath, ["-e", program, root, outside], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  return {
    [Symbol.asyncDispose]: async () => {
      expect(child.exitCode).toBe(null);
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await gone;
    },
  };
}

// Elsewhere there is no way to go by an open folder, and the checks can be beaten.
describe.skipIf(process.platform !== "linux")("while a folder on the way is swapped for a link to the outside", () => {
  beforeEach(() => {
    mkdirSync(join(root, "swap/deep"), { recursive: true });
    writeFileSync(join(root, "swap/deep/a.txt"), "inside\n");
  });

  test.each<[string, () => Tool, object, RegExp]>([
    ["read_file", () => readFile({ root }), { path: "swap/deep/a.txt" }, /"inside"/],
    ["file_stats", () => fileStats({ root }), { path: "swap/deep/a.txt" }, /"bytes":7/],
    ["list_files", () => listFiles({ root }), { path: "swap/deep" }, /a\.txt/],
    ["list_files, recursive", () => listFiles({ root }), { recursive: true }, /a\.txt/],
    ["search_files", () => searchFiles({ root }), { path: "swap", pattern: "." }, /"inside"/],
  ])("%s sees nothing of the outside", { timeout: 20_000 }, async (_name, make, args, good) => {
    const tool = make();
    const answers: string[] = [];
    {
      await using _swapping = await swapping();
      for (const end = Date.now() + 1500; Date.now() < end || answers.length < 200;)
        answers.push(await use(tool, args));
    }
    // Both happened: it got through, and it met the link.
    expect(answers.some((answer) => good.test(answer))).toBe(true);
    expect(answers.some((answer) => !good.test(answer))).toBe(true);
    expect(answers.filter((answer) => /SECRET|only-outside|"bytes":14/.test(answer))).toEqual([]);
  });

  test("write_file and edit_file change nothing outside", { timeout: 20_000 }, async () => {
    const write = writeFile({ root, overwrite: true });
    const edit = editFile({ root });
    const answers: string[] = [];
    {
      await using _swapping = await swapping();
      for (let index = 0, end = Date.now() + 3000; Date.now() < end || index < 200; index++) {
        answers.push(await use(write, { path: "swap/deep/a.txt", content: `inside ${index}\n` }));
        answers.push(await use(write, { path: `swap/deep/new-${index % 50}/b.txt`, content: `${index}` }));
        answers.push(
          await use(edit, { path: "swap/deep/a.txt", edits: [{ old_text: "\n", new_text: "!\n", all: true }] }),
        );
      }
    }
    expect(answers.some((answer) => !answer.startsWith("refused"))).toBe(true);
    expect(answers.some((answer) => answer.startsWith("refused"))).toBe(true);
    expect(readdirSync(outside)).toEqual(["deep"]);
    expect(readdirSync(join(outside, "deep"))).toEqual(["a.txt", "only-outside.txt"]);
    expect(readFileSync(join(outside, "deep/a.txt"), "utf8")).toBe("SECRET\n");
  });
});

describe("the root", () => {
  test("may be a link itself, also one that differs in case only: real paths are compared", async () => {
    writeFileSync(join(root, "a.txt"), "inside\n");
    if (!existsSync(join(base, "ROOT"))) symlinkSync(root, join(base, "ROOT"));
    symlinkSync(join(base, "ROOT", "a.txt"), join(root, "inner"));
    for (const given of [root, join(base, "ROOT")])
      expect(await use(readFile({ root: given }), { path: "inner" })).toContain('"text":"inside"');
  });
});
