import { callsIn } from "../inspection/answer-calls.ts";
import { fieldsOf, listOf, textOf } from "../inspection/read-values.ts";
import type { RunFold } from "../inspection/run-fold.ts";
import { stepsOf } from "../inspection/run-steps.ts";
import type { SessionFold } from "../inspection/session-fold.ts";
import { isOutcomeFromOutside, type TurnStep } from "../inspection/turn-step.ts";

/** A call of a session, and what the model was told about it. */
export interface RecordedCall {
  readonly runId: string;
  readonly turn: number;
  readonly callId: string;
  readonly name: string;
  readonly args: unknown;
  /** The `response` of its function response: an object with `output` or `error`. Absent where there was none. */
  readonly response?: unknown;
  /** What the turn's `route` step said to do with it; absent in a turn without one. */
  readonly route?: string | undefined;
}

/** All calls of a run that were asked for, in order. */
export function callsOf(fold: SessionFold, run: RunFold): readonly RecordedCall[] {
  const steps = stepsOf(fold, run);
  return [...groupByTurn(steps)].flatMap(([turn, own]) => callsOfTurn(run.runId, turn, own));
}

function groupByTurn(steps: readonly TurnStep[]): ReadonlyMap<number, readonly TurnStep[]> {
  const turns = new Map<number, TurnStep[]>();
  for (const step of steps) {
    const turn = step.place.kind === "other" ? 0 : step.place.turn;
    const known = turns.get(turn);
    if (known === undefined) turns.set(turn, [step]);
    else known.push(step);
  }
  return turns;
}

function callsOfTurn(runId: string, turn: number, steps: readonly TurnStep[]): readonly RecordedCall[] {
  const answer = steps.findLast(({ value }) => fieldsOf(value)["response"] !== undefined);
  const { content } = fieldsOf(fieldsOf(answer?.value)["response"]);
  const routes = steps.findLast(({ place }) => place.kind === "route")?.value;
  return callsIn(content).map(({ call }, index) => {
    const callId = `call:${turn}.${index}`;
    const response = responseTo(callId, steps);
    const route = routes === undefined ? undefined : textOf(fieldsOf(listOf(routes)[index])["do"]);
    return {
      runId,
      turn,
      callId,
      name: textOf(call["name"]) ?? "",
      args: call["args"] ?? {},
      ...(response !== undefined && { response }),
      ...(route !== undefined && { route }),
    };
  });
}

function responseTo(callId: string, steps: readonly TurnStep[]): unknown {
  for (const step of steps.toReversed()) {
    const { place, value } = step;
    if (!("callId" in place) || place.callId !== callId) continue;
    if (place.kind !== "call" && !isOutcomeFromOutside(step)) continue;
    const { part, output, error } = fieldsOf(value);
    const told = fieldsOf(fieldsOf(part)["functionResponse"])["response"];
    if (told !== undefined) return told;
    // Somebody outside answered the call itself.
    if (isOutcomeFromOutside(step) && (output !== undefined || error !== undefined))
      return error === undefined ? { output } : { error };
  }
  return undefined;
}

/** What a call gets when it is made again: its outcomes in their order, and then the last one. */
export class RecordedOutcomes {
  readonly #responses: Map<string, unknown[]> = new Map();

  constructor(calls: readonly RecordedCall[]) {
    for (const { name, args, response } of calls) {
      if (response === undefined) continue;
      const key = keyOf(name, args);
      this.#responses.set(key, [...(this.#responses.get(key) ?? []), response]);
    }
  }

  /** @returns Undefined for a call that was never made with these arguments. */
  next(name: string, args: unknown): unknown {
    const responses = this.#responses.get(keyOf(name, args)) ?? [];
    return responses.length > 1 ? responses.shift() : responses[0];
  }
}

/** Name and arguments, whatever the order of their keys. */
export function keyOf(name: string, args: unknown): string {
  return `${name} ${JSON.stringify(args, (_, value: unknown) => {
    const fields = fieldsOf(value);
    return fields === value
      ? Object.fromEntries(Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  })}`;
}
