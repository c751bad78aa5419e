import type { ReadPlace } from "../inspection/step-place.ts";
import type { ExchangeFold } from "../inspection/exchange-fold.ts";
import type { RunFold } from "../inspection/run-fold.ts";
import { stepsOfRun } from "../inspection/turn-step.ts";
import type { SessionFold } from "../inspection/session-fold.ts";
import { readHead, type RequestHead } from "./request-head.ts";
import type { RecordedCall } from "@pollux/core/rehearsal";
import { fieldsOf, numberOf, textOf } from "../inspection/read-values.ts";

/** A run with its kept requests. */
export interface Kept {
  readonly fold: SessionFold;
  readonly run: RunFold;
  readonly exchanges: ExchangeFold;
}

/** The head of the run's first request, if it was kept. */
export function firstHead({ exchanges, run }: Pick<Kept, "exchanges" | "run">): RequestHead | undefined {
  const n = firstExchange({ exchanges, run });
  const request = n === undefined ? undefined : exchanges.request(n);
  return request === undefined ? undefined : readHead(request);
}

/** The kept exchange of the run's first request for an answer. */
export function firstExchange({ exchanges, run }: Pick<Kept, "exchanges" | "run">): number | undefined {
  const n = exchanges.kept.exchanges.findIndex(({ runId, step }) => runId === run.runId && step.place.kind === "model");
  return n === -1 ? undefined : n;
}

/** The schema of typed output, which is either in every request or in one of its own. */
export function outputOf({ fold, run, exchanges }: Kept, head: RequestHead | undefined): RequestHead["output"] {
  if (head?.output !== undefined) return head.output;
  const isOwn = (place: ReadPlace): boolean => place.kind === "model" && place.phase === "output";
  if (!stepsOfRun(fold, run).some(({ place }) => isOwn(place))) return undefined;
  const n = exchanges.kept.exchanges.findIndex(({ runId, step }) => runId === run.runId && isOwn(step.place));
  return readHead(exchanges.request(n)).output ?? "json";
}

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

/** How many turns at the end of a run repeat the same calls; undefined unless that ended it. */
export function maxRepeatsOf(run: RunFold, calls: readonly RecordedCall[]): number | undefined {
  if (run.end?.["stopReason"] !== "repeated-calls") return undefined;
  const byTurn = new Map<number, string>();
  for (const { turn, name, args } of calls) byTurn.set(turn, `${byTurn.get(turn) ?? ""}\n${keyOf(name, args)}`);
  const turns = [...byTurn.values()];
  const last = turns.at(-1);
  const other = turns.findLastIndex((one) => one !== last);
  return Math.max(1, turns.length - 1 - other);
}

/** Name and arguments, regardless of the order of keys. */
function keyOf(name: string, args: unknown): string {
  return `${name} ${JSON.stringify(args, (_, value: unknown) => {
    const fields = fieldsOf(value);
    return fields === value
      ? Object.fromEntries(Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  })}`;
}
