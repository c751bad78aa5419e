import type { CallStepValue, ModelStepValue } from "../../durable/run-log.ts";
import { addUsage, NO_USAGE, type Usage } from "../../model/usage.ts";
import type { EndEntry } from "./entries.ts";
import type { RunRecord } from "./run-record.ts";
import type { TurnRecord } from "./turn-record.ts";

/** What a run without an end has used, by its steps. */
export type RunTotals = Pick<EndEntry, "turns" | "toolCalls" | "usage" | "cost" | "unpriced">;

/** @param open - Its turns that are not closed. */
export function sumUpRun({ turns: closed, outcomes, lost }: RunRecord, open: readonly TurnRecord[]): RunTotals {
  const turns = [...closed, ...open];
  let usage: Usage = NO_USAGE;
  let cost = 0;
  let unpriced: string | undefined;
  // The context of another run is not this one's.
  const addOther = (other: {
    readonly usage: Usage;
    readonly cost?: number | undefined;
    readonly unpriced?: string | undefined;
  }): void => {
    usage = { ...addUsage(usage, other.usage), contextTokens: usage.contextTokens };
    cost += other.cost ?? 0;
    unpriced ??= other.unpriced;
  };
  for (const { outcome } of outcomes.values()) {
    if (!outcome.ok) continue;
    // Other steps have no such members.
    const value = (outcome.value ?? {}) as Partial<ModelStepValue & CallStepValue>;
    // What a guardrail puts in the place of an answer has its usage as well.
    if (value.response !== undefined && !("actions" in value)) {
      usage = addUsage(usage, value.response.usage);
      cost += value.cost ?? 0;
      unpriced ??= value.unpriced;
    }
    for (const run of value.nested ?? []) addOther(run);
  }
  for (const one of lost) addOther(one);
  return {
    turns: turns.at(-1)?.turn ?? 0,
    toolCalls: turns.reduce((sum, turn) => sum + countCalls(turn), 0),
    usage,
    ...(cost > 0 && { cost }),
    ...(unpriced !== undefined && { unpriced }),
  };
}

function countCalls({ contents }: TurnRecord): number {
  return contents.reduce((sum, ref) => sum + ("calls" in ref ? ref.calls.length : 0), 0);
}
