import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Tool, type ToolContext, ToolError } from "@pollux/core";
import { expect } from "vitest";
import { editFile, writeFile } from "../../src/files.ts";

/** A root, and a folder outside of it that no tool may read or change. */
export interface Folders extends Disposable {
  readonly base: string;
  readonly root: string;
  readonly outside: string;
}

export function makeFolders(): Folders {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "pollux-inside-")));
  const root = join(base, "root");
  const outside = join(base, "outside");
  for (const folder of [root, outside, join(root, "swap")]) mkdirSync(join(folder, "deep"), { recursive: true });
  writeFileSync(join(outside, "deep/a.txt"), "SECRET\n");
  writeFileSync(join(outside, "deep/only-outside.txt"), "SECRET\n");
  writeFileSync(join(root, "swap/deep/a.txt"), "inside\n");
  return { base, root, outside, [Symbol.dispose]: () => rmSync(base, { recursive: true, force: true }) };
}

/**
 * Calls a reading tool repeatedly while a folder in its path is swapped for a link to the outside: at least the given number of
 * times, and until it has reached the file and met the link at least twenty times each.
 */
export async function readWhileSwapped(
  tool: Tool,
  args: object,
  good: RegExp,
  least: number,
  at: Folders,
): Promise<void> {
  const answers = { good: 0, refused: 0 };
  await using _swapping = await swapping(at);
  while (answers.good + answers.refused < least || Math.min(answers.good, answers.refused) < 20) {
    const answer = await use(tool, args);
    expect(answer).not.toMatch(/SECRET|only-outside|"bytes":14/);
    answers[good.test(answer) ? "good" : "refused"]++;
  }
}

/** The same for the writing tools; nothing outside may change. */
export async function writeWhileSwapped(least: number, { root, outside, ...rest }: Folders): Promise<void> {
  const write = writeFile({ root, overwrite: true });
  const edit = editFile({ root });
  const answers = { good: 0, refused: 0 };
  {
    await using _swapping = await swapping({ root, outside, ...rest });
    for (let index = 0; index < least || Math.min(answers.good, answers.refused) < 20; index++) {
      for (const [tool, args] of [
        [write, { path: "swap/deep/a.txt", content: `inside ${index}\n` }],
        [write, { path: `swap/deep/new-${index % 50}/b.txt`, content: `${index}` }],
        [edit, { path: "swap/deep/a.txt", edits: [{ old_text: "\n", new_text: "!\n", all: true }] }],
      ] as const)
        answers[(await use(tool, args)).startsWith("refused") ? "refused" : "good"]++;
    }
  }
  expect(readdirSync(outside)).toEqual(["deep"]);
  expect(readdirSync(join(outside, "deep"))).toEqual(["a.txt", "only-outside.txt"]);
  expect(readFileSync(join(outside, "deep/a.txt"), "utf8")).toBe("SECRET\n");
}

/** Calls a tool as the loop does; returns a refusal as text. */
export async function use(tool: Tool, args: object): Promise<string> {
  const context = { signal: new AbortController().signal, progress: async () => {} } as unknown as ToolContext;
  try {
    return JSON.stringify(await tool.run(await tool.parse(args), context));
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    return `refused: ${error.message}`;
  }
}

/** Swaps `root/swap` between a folder and a link to the outside, as fast as possible, until it is closed or this process ends. */
async function swapping({ root, outside }: Folders): Promise<AsyncDisposable> {
  const program = `
    const { renameSync, rmSync, symlinkSync, unlinkSync } = require("node:fs");
    const { join } = require("node:path");
    const [root, outside] = process.argv.slice(1);
    const at = join(root, "swap"), away = join(root, ".away");
    const parent = process.ppid;
    process.stdout.write("on");
    // The tools may have created a folder where none existed for a moment.
    const put = (make) => { try { make(); } catch { rmSync(at, { recursive: true, force: true }); make(); } };
    while (process.ppid === parent) {
      try {
        renameSync(at, away); put(() => symlinkSync(outside, at));
        for (let spin = 0; spin < 20_000 * Math.random(); spin++);
        unlinkSync(at); put(() => renameSync(away, at));
        for (let spin = 0; spin < 20_000 * Math.random(); spin++);
      } catch {
        // A tool was quicker twice: start over. It may be quicker here, too.
        try { rmSync(at, { recursive: true, force: true }); renameSync(away, at); } catch {}
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
