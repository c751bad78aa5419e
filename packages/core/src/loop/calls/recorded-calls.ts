import type { CallRoute } from "../../durable/run-log.ts";
import { findRecorded, type NamedStep, type Op, type Outcome } from "../../durable/steps.ts";
import type { Emit, RunEvent } from "../events.ts";
import type { LoopInput } from "../loop-input.ts";
import type { RunState } from "../run-state.ts";
import { findBefore } from "../single-step.ts";
import { afterAnswer } from "./approvals.ts";
import { type CallState, isAwaiting, QUESTIONS, type TurnCall } from "./call-state.ts";
import { findChecked } from "./check-given.ts";
import { afterRun, cutOff, toolEnd, toolStart } from "./run-call.ts";

/** A call in a round. */
export interface RoundCall {
  readonly call: TurnCall;
  /** Its state when the round began. */
  readonly from: CallState;
  readonly operation: Op<RunEvent>;
}

/** What a journal has recorded of a call. `run-call.ts` decides about interrupted ones. */
export function findBegun(input: LoopInput, call: Pick<TurnCall, "turn" | "callId">): TurnCall["recorded"] {
  const { outcome, begun } = findBefore(input, { kind: "call", ...call, attempt: 0 });
  if (outcome !== undefined) return "outcome";
  return begun ? "begun" : undefined;
}

/** True for a call that, by a journal, did not simply run when the calls of its turn were routed: it was not refused then. */
export function wasAsked(input: LoopInput, turn: number, index: number): boolean {
  const { outcome } = findBefore(input, { kind: "route", turn });
  const routes = outcome?.ok === true ? (outcome.value as unknown as readonly CallRoute[]) : [];
  return (routes[index]?.do ?? "run") !== "run";
}

/** Keeps what is recorded of calls when their round ends the run: the conversation may continue from here without them. */
export function keepRecorded(input: LoopInput, state: RunState, round: readonly RoundCall[]): void {
  for (const { call, from, operation } of round) {
    const { current } = call;
    const { outcome, begun } = findRecorded(input.steps, operation.name);
    if (isAwaiting(current)) {
      // The outcome of another operation is not the answer.
      if (outcome === undefined || current !== from) continue;
      noteAnswer(input, operation, outcome);
      const checked = findChecked(input, state, QUESTIONS[current.state], operation.name, outcome);
      const next = checked && afterAnswer(input, state, call, current, checked);
      if (next?.state === "answered") call.current = next;
    } else if (current.state !== "running") continue;
    else if (outcome?.ok === true) call.current = afterRun(input, state, call, current.attempt, outcome);
    else if (begun) call.current = cutOff(input, state, call);
  }
}

/** Adds the answer that a wait got from outside to the turn. */
export function noteAnswer({ openTurns }: LoopInput, { name, place }: NamedStep, outcome?: Outcome): void {
  if (place === undefined) return;
  const steps = openTurns.at(-1)?.steps;
  if (steps?.some((step) => step.name === name) === false)
    steps.push({ name, place, value: outcome?.ok === true ? outcome.value : undefined });
}

/** Reports calls whose steps emitted nothing: a journal or somebody outside answered them. */
export async function reportAnswers(emit: Emit, calls: readonly TurnCall[]): Promise<void> {
  const unreported = calls.flatMap((call) => {
    const { current, fromJournal, endReported } = call;
    if (current.state !== "answered" || endReported === true) return [];
    return [{ call, value: current.value, mark: fromJournal === true && ({ replayed: true } as const) }];
  });
  for (const { call, value, mark } of unreported)
    if (call.begun !== true && value.notRun !== true) await emit({ ...toolStart(call), ...mark });
  for (const { call, value, mark } of unreported) {
    call.endReported = true;
    await emit({ ...toolEnd(call, value), ...mark });
  }
}
