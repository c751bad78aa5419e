import type { Usage } from "../model/usage.ts";
import type { FunctionCall } from "../wire/content.ts";

/** What a stop rule may look at: finished turns only. */
export interface RunProgress {
  /** Turns made. */
  readonly turns: number;
  /** Calls made, over all turns. */
  readonly toolCalls: number;
  readonly usage: Usage;
  /** The calls of the last turn, in call order. */
  readonly lastCalls: readonly FunctionCall[];
  /** Visible text of the last answer. */
  readonly lastText: string;
}

/** True ends the run after the current turn with the stop reason `stopped`. Pure and synchronous; called once after each turn that made calls. */
export type StopRule = (progress: RunProgress) => boolean;

/** Stops after the turn that called one of these tools; their results are in the history. */
export function calledTool(...names: readonly string[]): StopRule {
  return ({ lastCalls }) => lastCalls.some((call) => names.includes(call.name));
}

/** Stops after this many turns, as a choice of the caller; `limits.turns` is the safety net. */
export function afterTurns(turns: number): StopRule {
  return (progress) => progress.turns >= turns;
}
