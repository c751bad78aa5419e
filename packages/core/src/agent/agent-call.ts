import { ToolFailure, ToolRetry } from "../errors/tool-errors.ts";
import { isObject } from "../internal/json.ts";
import type { Limits } from "../loop/limits.ts";
import type { RunResult } from "../loop/result.ts";
import type { EngineResult } from "./engine-run.ts";

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
