import { ToolFailure, ToolRetry } from "../errors/run-errors.ts";
import { isObject } from "../internal/json.ts";
import { groundingResponses } from "../loop/build-result.ts";
import type { Limits } from "../loop/limits.ts";
import { type RunResult, runSoFar } from "../loop/result.ts";
import type { NestedRun } from "../tool/tool.ts";
import type { EngineResult } from "./engine/run-report.ts";

/**
 * A signal for a run inside a call: aborts with the call's, but for a reason of its own. A run hangs what it had done on
 * the reason it was aborted for, and the caller's reason has to carry the outer run, not the one inside.
 */
export function innerSignal(outer: AbortSignal): AbortSignal {
  const inner = new AbortController();
  const onAbort = (): void => inner.abort(new DOMException("the calling run was ended", "AbortError"));
  if (outer.aborted) onAbort();
  else outer.addEventListener("abort", onAbort, { once: true });
  return inner.signal;
}

/** Waits for a run inside a call and adds what it cost and found to the calling run's result, also when it failed. */
export async function attachInner(
  run: Promise<RunResult<unknown>>,
  attach: (run: NestedRun) => void,
): Promise<RunResult<unknown>> {
  try {
    const result = await run;
    const { usage, cost } = result;
    attach({ usage, ...(cost !== undefined && { cost }), responses: groundingResponses(result) });
    return result;
  } catch (error) {
    const soFar = runSoFar(error);
    if (soFar !== undefined)
      attach({ usage: soFar.usage, ...(soFar.cost !== undefined && { cost: soFar.cost }), responses: [] });
    throw error;
  }
}

/** The task a call hands over. @throws {ToolRetry} When there is none. */
export function taskOf(input: unknown): string {
  const task = isObject(input) ? input["task"] : undefined;
  if (typeof task !== "string" || task.trim() === "") throw new ToolRetry("task must be a text that is not empty");
  return task;
}

/** @throws {ToolFailure} When the calling run has nothing left of a limit. */
export function checkLeft(name: string, limits: Limits | undefined): void {
  const used = Object.entries(limits ?? {}).find(([, limit]) => limit === 0);
  if (used !== undefined) throw new ToolFailure(`${name} was not run: nothing is left of this run's ${used[0]}`);
}

/** The answer of a call that was a run. @throws {ToolFailure} When the run did not finish; says how it ended. */
export function answerOf(result: RunResult<unknown> | EngineResult, name: string): unknown {
  if (result.stopReason === "finished") return result.output ?? result.text;
  const why = result.stopReason === "limit" ? ` (${result.limit.name})` : "";
  const said = result.text === "" ? "" : `; it said: ${result.text.slice(0, 2_000)}`;
  throw new ToolFailure(`${name} ended with "${result.stopReason}"${why}${said}`);
}
