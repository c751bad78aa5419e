import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished } from "vitest";
import { bundledProgram } from "../../../../test/support/bundled-program.ts";
import { type Kind, openStore } from "../node/programs/open-store.ts";

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "pollux-store-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A program that runs in a process of its own. */
export interface RunningProgram {
  readonly child: ChildProcess;
  /** Its output so far. */
  readonly output: readonly OutputLine[];
  /** Its whole output, when the program has ended. Rejects when the program failed. */
  readonly over: Promise<readonly OutputLine[]>;
  /** Resolves when it has written so many lines, or has ended. */
  untilLines(count: number): Promise<void>;
}

/** One line of a program's output. */
export interface OutputLine {
  readonly [name: string]: unknown;
}

/**
 * Kills a process that appends, after so many appends and milliseconds, and expects its store to have every append that was
 * acknowledged, whole, and to accept the next one.
 */
export async function killWriter(kind: Kind, path: string, appends: number, afterMs = 0): Promise<void> {
  const program = runProgram("append", [kind, path, "forever"]);
  await program.untilLines(appends);
  await sleep(afterMs);
  program.child.kill("SIGKILL");
  const output = await program.over;
  // The store does not wait for a lock of the killed process, or waits two seconds if its owner is unknown.
  const store = openStore(kind, path, { lockTimeoutMs: 5000 });
  const entries = await store.load("shared");
  expect(entries.length).toBeGreaterThanOrEqual(Number(output.at(-1)?.["length"]));
  expect(entries.length % 2).toBe(0);
  expect(entries.map((entry) => (entry as { at: number }).at)).toEqual([...entries.keys()]);
  await store.append("shared", entries.length, [{ at: entries.length }, { at: entries.length + 1 }]);
  if ("close" in store) store.close();
}

/** Runs a program of `test/node/programs`. @param options - `maxFileKb`: limit on the size of files that it writes. */
export function runProgram(
  name: string,
  args: readonly string[],
  options: { readonly maxFileKb?: number | undefined } = {},
): RunningProgram {
  const file = bundledProgram(new URL(`../node/programs/${name}.ts`, import.meta.url));
  const command = [
    process.execPath,
    "--conditions=pollux-source",
    "--disable-warning=ExperimentalWarning",
    file,
    ...args,
  ];
  const child =
    options.maxFileKb === undefined
      ? spawn(command[0] ?? "", command.slice(1), { stdio: ["ignore", "pipe", "pipe"] })
      : spawn("bash", ["-c", `ulimit -f ${options.maxFileKb}; exec "$@"`, "bash", ...command], {
          stdio: ["ignore", "pipe", "pipe"],
        });
  onTestFinished(() => void child.kill("SIGKILL"));
  const output: OutputLine[] = [];
  const listeners = new Set<() => void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    // A killed process may have left half a line.
    if (line.endsWith("}")) output.push(JSON.parse(line) as OutputLine);
    for (const listener of listeners) listener();
  });
  let problems = "";
  child.stderr.on("data", (data: Buffer) => (problems += data.toString()));
  const over = new Promise<readonly OutputLine[]>((resolve, reject) => {
    child.on("close", (code, signal) => {
      if (code === 0 || signal === "SIGKILL") resolve(output);
      else reject(new Error(`${name} ended with ${code ?? signal}: ${problems}`));
    });
  });
  return {
    child,
    output,
    over,
    untilLines: (count) =>
      Promise.race([
        new Promise<void>((resolve) => {
          const look = (): void => void (output.length >= count && resolve());
          listeners.add(look);
          look();
        }),
        over.then(() => {}),
      ]),
  };
}
