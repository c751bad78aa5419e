import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { expectWithin } from "./helpers/budget.ts";
import type { PathCounts } from "./helpers/measure-path.ts";
import type { SessionCounts } from "./helpers/measure-session.ts";
import { expectCheapResume } from "./helpers/resume-budget.ts";

/** What a further tool turn and a further chunk may take, and how many files a whole run with one call may. */
const BUDGETS = {
  run: {
    turn: { calls: 269, promises: 73, files: 35 },
    chunk: { calls: 30, promises: 7 },
    runFiles: 50,
    generators: 0,
  },
  stream: {
    turn: { calls: 319, promises: 125, files: 37 },
    chunk: { calls: 36, promises: 13 },
    runFiles: 52,
    generators: 1,
  },
} as const;

/** What the first message of a session may take, with one call. */
const SESSION_BUDGETS = {
  // To come down to 64 files.
  send: { files: 77, calls: 1330 },
  // To come down to 76 files.
  watched: { files: 90, calls: 3430 },
} as const;

async function measure(program: string, ...args: readonly string[]): Promise<unknown> {
  const file = fileURLToPath(new URL(`helpers/${program}.ts`, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=pollux-source", file, ...args]);
  return JSON.parse(stdout);
}

describe.each(["run", "stream"] as const)("%s", (face) => {
  const budget = BUDGETS[face];

  test("stays within its budget of calls, promises, files and generators", async () => {
    // The program prints it.
    const { turn, chunk, run, generators } = (await measure("measure-path", face)) as PathCounts;
    const forObservers = run.files.filter((file) => file.includes("observe") || file === "loop/run-reporter.ts");
    expect(forObservers, "files for observers, in a run that has none").toEqual([]);
    expectWithin("calls of a further tool turn", turn.calls, budget.turn.calls);
    expectWithin("promises of a further tool turn", turn.promises, budget.turn.promises);
    expectWithin("files of a further tool turn", turn.files.length, budget.turn.files, turn.files);
    expectWithin("calls of a further chunk", chunk.calls, budget.chunk.calls);
    expectWithin("promises of a further chunk", chunk.promises, budget.chunk.promises);
    expectWithin("files of a run with one call", run.files.length, budget.runFiles, run.files);
    expect(generators, "async generators of a run with one call").toBe(budget.generators);
  });
});

test("a message of a session stays within its budget of calls and files, watched or not", async () => {
  // The program prints it.
  const counts = (await measure("measure-session")) as SessionCounts;
  for (const way of ["send", "watched"] as const) {
    const { calls, files } = counts[way];
    expectWithin(`files of a message, ${way}`, files.length, SESSION_BUDGETS[way].files, files);
    expectWithin(`calls of a message, ${way}`, calls, SESSION_BUDGETS[way].calls);
  }
});

test("to resume a run of 20 or 80 turns takes little more than to send the next message", async () => {
  await expectCheapResume(20, 80);
});
