import { readFile } from "node:fs/promises";
import { ConfigurationError } from "@pollux/core";
import type { EvalSuite } from "../cases/eval-suite.ts";
import type { EvalRun } from "../report/eval-run.ts";
import { runEval, type RunEvalOptions } from "../trials/run-eval.ts";
import { type Baseline, readBaseline } from "./baseline.ts";
import { judgeRun } from "./judge-run.ts";

/**
 * Runs a suite, and judges it by its gate and its baselines' files. These may be missing; runs that become baselines are compared with none.
 *
 * @param fileOf - The file of a variant's baseline, or of the only one.
 * @throws {ConfigurationError} When a file is not a baseline, with its name and what is wrong. What `runEval()` throws.
 */
export async function gateEval<Expected>(
  suite: EvalSuite<Expected>,
  options: RunEvalOptions,
  fileOf: (variant: string | undefined) => string,
): Promise<readonly EvalRun[]> {
  const { variants = suite.variants ?? [] } = options;
  const baselines = new Map<string | undefined, Baseline | undefined>();
  // First, so that a file that can't be read is found before any money is spent.
  if (options.baseline !== true)
    for (const variant of variants.length === 0 ? [undefined] : variants)
      baselines.set(variant, await readFileOf(fileOf(variant)));
  const runs = await runEval(suite, options);
  return runs.map((run) => ({ ...run, verdict: judgeRun(run, baselines.get(run.variant), suite.gate) }));
}

/** Name of the file of a suite's baseline, or of one of its variants: `support.baseline.json`, `support.short.baseline.json`. */
export function baselineName(suite: string, variant?: string): string {
  return `${variant === undefined ? suite : `${suite}.${variant}`}.baseline.json`;
}

async function readFileOf(file: string): Promise<Baseline | undefined> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
  try {
    return text === undefined ? undefined : readBaseline(text);
  } catch (error) {
    throw new ConfigurationError(`${file}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
