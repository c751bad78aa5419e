import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { PassThrough } from "node:stream";
import { onTestFinished } from "vitest";
import { createPollux } from "../../src/create-pollux.ts";
import type { Terminal } from "../../src/terminal.ts";

/** How the program ended, and what it did. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** The programs that it ran, as command lines, with the folders they ran in. */
  readonly ran: readonly (readonly [line: string, folder: string])[];
}

export interface FakeTerminalOptions {
  readonly cwd: string;
  /** Keys that a person presses, one for each time that something is shown to them. Without, there is no terminal. */
  readonly keys?: readonly string[] | undefined;
  readonly env?: Terminal["env"] | undefined;
  /** How programs end. @defaultValue 0 */
  readonly exitCode?: number | undefined;
  /** The programs that there are. @defaultValue All */
  readonly installed?: readonly string[] | undefined;
}

/** Runs the program in this process. */
export async function runHere(
  args: readonly string[],
  { cwd, keys, env = {}, exitCode = 0, installed }: FakeTerminalOptions,
): Promise<Ended> {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  let [out, err] = ["", ""];
  const ran: [string, string][] = [];
  const pressed = keys?.values();
  stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    // A question ends in its hint bar; what a key has changed is drawn in pieces.
    const key = /└/.test(text) ? pressed?.next().value : undefined;
    if (key !== undefined) setImmediate(() => stdin.write(key));
  });
  const isTTY = keys !== undefined;
  const code = await createPollux(args, {
    stdin: Object.assign(stdin, { isTTY, setRawMode: () => stdin }),
    stdout: Object.assign(stdout, { isTTY, columns: 80, rows: 24 }),
    stderr: { write: (text) => (err += text) },
    env,
    cwd,
    finds: (command) => installed?.includes(command) ?? true,
    run: async (command, commandArgs, folder) => {
      ran.push([[command, ...commandArgs].join(" "), relative(cwd, folder)]);
      return installed?.includes(command) === false ? undefined : exitCode;
    },
  });
  stdout.end();
  await once(stdout, "end");
  return { code, out, err, ran };
}

/** An empty folder, which goes with the test. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "create-pollux-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Paths of all files in a folder, sorted. */
export function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .toSorted();
}
