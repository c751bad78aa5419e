import type { RecordedCall } from "@pollux/core/rehearsal";
import { fieldsOf, numberOf, textOf } from "../inspection/read-values.ts";
import type { RunFold } from "../inspection/run-fold.ts";

/** The limit that ended a run, as an option of an agent; empty when none did. */
export function limitsOf({ end = {} }: RunFold): { readonly [name: string]: number } {
  const usage = fieldsOf(end["usage"]);
  const used: { readonly [name: string]: number | undefined } = {
    turns: numberOf(end["turns"]),
    toolCalls: numberOf(end["toolCalls"]),
    inputTokens: numberOf(usage["inputTokens"]),
    outputTokens: (numberOf(usage["outputTokens"]) ?? 0) + (numberOf(usage["thoughtTokens"]) ?? 0),
    totalTokens: numberOf(usage["totalTokens"]),
  };
  const limit = textOf(fieldsOf(end["reached"])["name"]) ?? "";
  const reached = Object.hasOwn(used, limit) ? used[limit] : undefined;
  return reached === undefined ? {} : { [limit]: reached };
}

/** Turns at the end of a run with the same calls; undefined when they have not ended it. */
export function maxRepeatsOf(run: RunFold, calls: readonly RecordedCall[]): number | undefined {
  if (run.end?.["stopReason"] !== "repeated-calls") return undefined;
  const byTurn = new Map<number, string>();
  for (const { turn, name, args } of calls) byTurn.set(turn, `${byTurn.get(turn) ?? ""}\n${keyOf(name, args)}`);
  const turns = [...byTurn.values()];
  const last = turns.at(-1);
  const other = turns.findLastIndex((one) => one !== last);
  return Math.max(1, turns.length - 1 - other);
}

/** Name and arguments, whatever the order of their keys. */
function keyOf(name: string, args: unknown): string {
  return `${name} ${JSON.stringify(args, (_, value: unknown) => {
    const fields = fieldsOf(value);
    return fields === value
      ? Object.fromEntries(Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  })}`;
}
