import { ToolFailure, ToolRetry } from "../errors/run-errors.ts";
import { isObject } from "../internal/json.ts";
import { groundingResponses } from "../loop/build-result.ts";
import type { Limits } from "../loop/limits.ts";
import { type RunResult, runSoFar } from "../loop/result.ts";
import type { RunStream } from "../loop/run-stream.ts";
import type { Model } from "../model/model.ts";
import { agentEnded, nothingLeft, TASK_MISSING } from "../tool/model-texts.ts";
import type { NestedRun, ParentRun } from "../tool/tool.ts";
import type { EngineResult } from "./engine/run-report.ts";
import type { AnyRunOptions, RunOptions } from "./options.ts";
import type { RunInput } from "./run-input.ts";

/** An agent whose runs happen inside the calls of another run. */
export interface NestedAgent {
  readonly name: string;
  readonly model: Model;
  /** Whether the agent was given its name. Only then may an engine run it by that. */
  readonly isNamed: boolean;
  stream(input: RunInput, options: AnyRunOptions): RunStream<unknown>;
  /** Options of a run inside a call: the agent's own, and nowhere more than the calling run has left. */
  nestedRunOptions(parent: ParentRun | undefined): Pick<RunOptions, "limits" | "prices" | "approve" | "parent">;
}

/** The task that a call hands over. @throws {ToolRetry} When there is none. */
export function parseTask(input: unknown): string {
  const task = isObject(input) ? input["task"] : undefined;
  if (typeof task !== "string" || task.trim() === "") throw new ToolRetry(TASK_MISSING);
  return task;
}

/** @throws {ToolFailure} When the calling run has nothing left of a limit. */
export function checkRemaining(name: string, limits: Limits | undefined): void {
  const used = Object.entries(limits ?? {}).find(([, limit]) => limit === 0);
  if (used !== undefined) throw new ToolFailure(nothingLeft(name, used[0]));
}

/**
 * A signal for a run inside a call. It aborts with the call's, but for a reason of its own: what a run had done is attached to the
 * reason it was aborted for, and the calling run's reason has to carry the calling run.
 */
export function nestedSignal(outer: AbortSignal): AbortSignal {
  const inner = new AbortController();
  const onAbort = (): void => inner.abort(new DOMException("the parent run was aborted", "AbortError"));
  if (outer.aborted) onAbort();
  else outer.addEventListener("abort", onAbort, { once: true });
  return inner.signal;
}

/** Waits for a run inside a call and adds what it cost and found to the calling run's result, also when it failed. */
export async function attachNested(
  run: Promise<RunResult<unknown>>,
  attach: (run: NestedRun) => void,
): Promise<RunResult<unknown>> {
  try {
    const result = await run;
    const { usage, cost } = result;
    attach({ usage, cost, responses: groundingResponses(result) });
    return result;
  } catch (error) {
    const soFar = runSoFar(error);
    if (soFar !== undefined) attach({ usage: soFar.usage, cost: soFar.cost, responses: [] });
    throw error;
  }
}

/** What a call that was a run gives. @throws {ToolFailure} When the run did not finish; says how it ended. */
export function readAnswer(result: RunResult<unknown> | EngineResult, name: string): unknown {
  if (result.stopReason === "finished") return result.output ?? result.text;
  const limit = result.stopReason === "limit" ? result.limit.name : undefined;
  throw new ToolFailure(agentEnded(name, result.stopReason, limit, result.text));
}
