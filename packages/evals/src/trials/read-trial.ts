import type { RunResult } from "@pollux/core";
import { addUsage, type ModelResponse, NO_USAGE } from "@pollux/core/model";
import type { TrialResult } from "../report/eval-run.ts";
import type { MadeTrial } from "./make-trial.ts";
import type { TrialJob } from "./plan-trials.ts";
import type { Trial } from "./trial.ts";

/** A trial that is over, and what it adds to its run. */
export interface TrialOutcome {
  readonly trial: TrialResult;
  readonly isReused: boolean;
  readonly cost: {
    readonly agent: number;
    readonly judges: number;
    readonly users: number;
    readonly isPriced: boolean;
  };
  readonly models: readonly { readonly id: string; readonly version?: string | undefined }[];
  /** Calls that a recording could have answered, and the ones that it did. */
  readonly asked: number;
  readonly recorded: number;
  readonly notFixed: readonly string[];
  readonly effects: readonly string[];
}

/**
 * Reads a finished trial, for scorers and for the run's results.
 *
 * @returns No `trial` if it cannot be scored: it is an error, or invalid.
 */
export function readTrial<Expected>(
  { plan: { one, world }, number, sessionId }: TrialJob<Expected>,
  made: MadeTrial,
  signal: AbortSignal,
): { readonly trial?: Trial<Expected> | undefined; readonly outcome: TrialOutcome } {
  const { kept, results, firstTurn } = made;
  const responses = results.flatMap((result) => result.responses.slice(firstTurn - 1));
  // The result of a fork includes the turns that it begins with.
  const usage = (firstTurn > 1 ? responses : results).reduce((sum, used) => addUsage(sum, used.usage), NO_USAGE);
  const isPriced = results.every((result) => result.cost !== undefined);
  const last = results.at(-1);
  const calls = results.flatMap((result) => result.toolCalls.filter(({ turn }) => turn >= firstTurn));
  const { seen, durationMs } = kept;
  const cost = isPriced ? { cost: kept.cost } : {};
  const metrics = {
    ...cost,
    durationMs,
    turns: responses.length,
    calls: calls.length,
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens + usage.thoughtTokens,
    cachedTokens: usage.cachedTokens,
  };
  const problem = problemOf(made);
  const result: TrialResult = {
    number,
    status: "passed",
    ...problem,
    scores: [],
    metrics: problem === undefined ? metrics : {},
    ...(last !== undefined && { stopReason: last.stopReason }),
    answer: last?.text.slice(0, 300) ?? "",
    sessionId,
  };
  const outcome: TrialOutcome = {
    trial: result,
    isReused: false,
    cost: {
      agent: kept.cost,
      judges: kept.judgeCost ?? 0,
      users: kept.userCost ?? 0,
      isPriced: isPriced && (kept.said === undefined || kept.userCost !== undefined),
    },
    models: responses.map(({ envelope: { modelVersion: version } }) => ({ id: made.model, version })),
    asked: world === "live" ? 0 : seen.calls,
    recorded: seen.recorded,
    notFixed: world === "live" ? [] : [...seen.served, ...responses.flatMap(servedTools)],
    effects: seen.effects,
  };
  if (problem !== undefined || last === undefined) return { outcome };
  const trial: Trial<Expected> = {
    caseId: one.id,
    number,
    input: made.input,
    output: outputOf(last),
    text: last.text,
    // As the case says: undefined without it.
    expected: one.expected as Expected,
    result: last,
    results,
    calls,
    approvals: seen.approvals,
    guardrails: kept.guardrails.flat(),
    get conversation() {
      return made.conversation();
    },
    usage,
    ...cost,
    durationMs,
    metrics,
    world,
    signal,
  };
  return { trial, outcome };
}

function problemOf({ kept, error }: MadeTrial): Pick<TrialResult, "status" | "why"> | undefined {
  if (kept.invalid !== undefined) return { status: "invalid", why: kept.invalid };
  if (error === undefined) return undefined;
  return { status: "error", why: `${error.name}: ${error.message}` };
}

function outputOf(result: RunResult<unknown>): unknown {
  return result.stopReason === "finished" && result.output !== undefined ? result.output : result.text;
}

/** Tools that the service ran itself for an answer. */
function servedTools({ candidate, content }: ModelResponse): readonly string[] {
  return [
    ...((candidate.groundingMetadata?.webSearchQueries ?? []).length > 0 ? ["googleSearch"] : []),
    ...(candidate.urlContextMetadata === undefined ? [] : ["urlContext"]),
    ...(content.parts.some(({ executableCode }) => executableCode !== undefined) ? ["codeExecution"] : []),
  ];
}
