/* oxlint-disable vitest/valid-title, vitest/expect-expect -- These tests are the suite's, not the repository's. */
import { dirname, join } from "node:path";
import { assert, describe, test, type TestContext } from "vitest";
import { readCases } from "../cases/define-eval.ts";
import type { EvalSuite } from "../cases/eval-suite.ts";
import { filterCases } from "../cases/filter-cases.ts";
import { baselineName, gateEval } from "../gate/gate-eval.ts";
import { caseProblem, failedTrials } from "../report/case-problem.ts";
import { codeVersion } from "../report/code-version.ts";
import type { EvalRun } from "../report/eval-run.ts";
import { formatRun } from "../report/format-run.ts";
import { titleOf } from "../report/report-rows.ts";
import type { RunEvalOptions } from "../trials/run-eval.ts";

/** Options of {@link describeEval}. */
export interface DescribeEvalOptions extends Partial<Omit<RunEvalOptions, "baseline" | "signal">> {
  /**
   * File that the suite is compared with, which `pollux eval --update-baseline` writes; relative to the test's folder.
   * @defaultValue `NAME.baseline.json`, or `NAME.VARIANT.baseline.json`; without that file nothing is compared
   */
  readonly baseline?: string | undefined;
  /** Milliseconds for all trials of the suite. @defaultValue 600,000 */
  readonly timeout?: number | undefined;
}

/**
 * A suite as tests of vitest: one for each case, which is red if the case broke, or is new and never passes, and one for the gate. The first test
 * makes all trials.
 *
 * @example
 * ```ts
 * import { describeEval } from "@pollux/evals/vitest";
 * import support from "./support.eval.ts";
 *
 * describeEval(support);
 * ```
 */
export function describeEval<Expected>(suite: EvalSuite<Expected>, options: DescribeEvalOptions = {}): void {
  const { baseline, timeout = 600_000, ...given } = options;
  const made: { runs?: Promise<readonly EvalRun[]> } = {};
  const runs = ({ signal, task }: TestContext): Promise<readonly EvalRun[]> =>
    (made.runs ??= runSuite(suite, { folder: dirname(task.file.filepath), ...given, signal }, baseline));
  describe(suite.name, async () => {
    for (const { id } of filterCases(await readCases(suite), given.filter ?? {}, suite))
      test(id, { timeout }, async (context) => {
        for (const run of await runs(context)) {
          const found = run.cases.find((one) => one.id === id);
          if (found === undefined) return context.skip("It is left out of this world.");
          const problem = caseProblem(run, found);
          if (problem !== undefined)
            assert.fail([`${titleOf(run)}, ${id} ${problem}`, ...failedTrials(found)].join("\n"));
        }
      });
    test("gate", { timeout }, async (context) => {
      for (const run of await runs(context)) {
        const { outcome } = run.verdict;
        if (outcome === "worse" || outcome === "incomplete") assert.fail(formatRun(run));
      }
    });
  });
}

async function runSuite<Expected>(
  suite: EvalSuite<Expected>,
  options: Omit<RunEvalOptions, "version">,
  named: string | undefined,
): Promise<readonly EvalRun[]> {
  const { folder = ".", store } = options;
  // It only serves to find kept trials, and takes a second in a large repository.
  const version = store === undefined ? { tree: "unknown" } : await codeVersion(folder);
  return await gateEval(suite, { version, ...options }, (variant) =>
    join(folder, named ?? baselineName(suite.name, variant)),
  );
}
