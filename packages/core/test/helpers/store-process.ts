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
  /** What it has told until now. */
  readonly told: readonly Told[];
  /** Everything it told, when it is over. Rejects when it ended with an error of its own. */
  readonly over: Promise<readonly Told[]>;
  /** Resolves when it has told so much. */
  toldAtLeast(count: number): Promise<void>;
}

/** One line of a program's output. */
export interface Told {
  readonly [name: string]: unknown;
}

/**
 * Kills a process that appends, so many appends and milliseconds after its start, and expects a store to have all it
 * acknowledged, whole, and to take the next append.
 */
export async function killWriter(kind: Kind, path: string, appends: number, afterMs = 0): Promise<void> {
  const program = runProgram("append", [kind, path, "forever"]);
  await program.toldAtLeast(appends);
  await sleep(afterMs);
  program.child.kill("SIGKILL");
  const told = await program.over;
  // A lock that the killed process held is not waited for, or for two seconds if nobody can tell whose it was.
  const store = openStore(kind, path, { lockTimeoutMs: 5000 });
  const entries = await store.load("shared");
  expect(entries.length).toBeGreaterThanOrEqual(Number(told.at(-1)?.["length"]));
  expect(entries.length % 2).toBe(0);
  expect(entries.map((entry) => (entry as { at: number }).at)).toEqual([...entries.keys()]);
  await store.append("shared", entries.length, [{ at: entries.length }, { at: entries.length + 1 }]);
  if ("close" in store) store.close();
}

/** Runs a program of `test/node/programs`. @param options - `maxFileKb`: files it may not make larger than this. */
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
  const told: Told[] = [];
  const listeners = new Set<() => void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    // A process that was killed may have left half a line.
    if (line.endsWith("}")) told.push(JSON.parse(line) as Told);
    for (const listener of listeners) listener();
  });
  let problems = "";
  child.stderr.on("data", (data: Buffer) => (problems += data.toString()));
  const over = new Promise<readonly Told[]>((resolve, reject) => {
    child.on("close", (code, signal) => {
      if (code === 0 || signal === "SIGKILL") resolve(told);
      else reject(new Error(`${name} ended with ${code ?? signal}: ${problems}`));
    });
  });
  return {
    child,
    told,
    over,
    toldAtLeast: (count) =>
      Promise.race([
        new Promise<void>((resolve) => {
          const look = (): void => void (told.length >= count && resolve());
          listeners.add(look);
          look();
        }),
        over.then(() => {}),
      ]),
  };
}
