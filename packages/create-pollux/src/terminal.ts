import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Readable, Writable } from "node:stream";

/** The parts of a process that the program uses. */
export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean | undefined };
  readonly stdout: Writable & { readonly isTTY?: boolean | undefined };
  readonly stderr: { write(text: string): unknown };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Whether there is a program of this name. */
  finds(command: string): boolean;
  /**
   * Runs a program that shares the terminal.
   *
   * @returns Its exit code; undefined if there is no such program.
   */
  run(command: string, args: readonly string[], cwd: string): Promise<number | undefined>;
}

export function thisProcess(): Terminal {
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    finds,
    run,
  };
}

function finds(command: string): boolean {
  const endings = process.platform === "win32" ? [".exe", ".cmd", ".bat"] : [""];
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .some((folder) => endings.some((ending) => existsSync(join(folder, command + ending))));
}

async function run(command: string, args: readonly string[], cwd: string): Promise<number | undefined> {
  return await new Promise((resolve, reject) => {
    // On Windows, package managers are scripts of the shell.
    const child = spawn(command, args, { cwd, stdio: "inherit", shell: process.platform === "win32" });
    child.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "ENOENT" ? resolve(undefined) : reject(error),
    );
    child.once("close", (code) => resolve(code ?? 1));
  });
}
