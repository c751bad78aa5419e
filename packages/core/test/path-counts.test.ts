import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import type { PathCounts } from "./helpers/measure-path.ts";

/** What a further tool turn and a further chunk may take, and how many files a whole run with one call may. */
const BUDGETS = {
  run: {
    turn: { calls: 262, promises: 71, files: 35 },
    chunk: { calls: 29, promises: 7 },
    runFiles: 53,
    generators: 0,
  },
  stream: {
    turn: { calls: 310, promises: 123, files: 36 },
    chunk: { calls: 35, promises: 13 },
    runFiles: 54,
    generators: 1,
  },
} as const;

const PROGRAM = fileURLToPath(new URL("helpers/measure-path.ts", import.meta.url));

async function measure(face: keyof typeof BUDGETS): Promise<PathCounts> {
  const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=pollux-source", PROGRAM, face]);
  return JSON.parse(stdout) as PathCounts;
}

function expectWithin(what: string, count: number, budget: number, names: readonly string[] = []): void {
  const listed = names.length === 0 ? "" : `: ${names.toSorted().join(", ")}`;
  expect(count, `${what}: ${count}, and the budget is ${budget}${listed}`).toBeLessThanOrEqual(budget);
}

describe.each(["run", "stream"] as const)("%s", (face) => {
  const budget = BUDGETS[face];

  test("stays within its budget of calls, promises, files and generators", async () => {
    const { turn, chunk, run, generators } = await measure(face);
    expectWithin("calls of a further tool turn", turn.calls, budget.turn.calls);
    expectWithin("promises of a further tool turn", turn.promises, budget.turn.promises);
    expectWithin("files of a further tool turn", turn.files.length, budget.turn.files, turn.files);
    expectWithin("calls of a further chunk", chunk.calls, budget.chunk.calls);
    expectWithin("promises of a further chunk", chunk.promises, budget.chunk.promises);
    expectWithin("files of a run with one call", run.files.length, budget.runFiles, run.files);
    expectWithin("async generators of a run with one call", generators, budget.generators);
    // A count of nothing would be within any budget.
    expect(turn.calls).toBeGreaterThan(100);
    expect(chunk.calls).toBeGreaterThan(10);
    expect(chunk.promises).toBeGreaterThan(0);
  });
});
