import { type CallRoute, stepName } from "../../durable/run-log.ts";
import { findRecorded, type Op, type Outcome } from "../../durable/steps.ts";
import type { Emit, RunEvent } from "../events.ts";
import type { LoopInput } from "../loop-input.ts";
import type { RunState } from "../run-state.ts";
import { afterAnswer } from "./approvals.ts";
import { isAwaiting, QUESTIONS, type TurnCall } from "./call-state.ts";
import { findChecked } from "./check-given.ts";
import { afterRun, cutOff, toolEnd, toolStart } from "./run-call.ts";

/** What a journal has of a call. */
export function findBegun(
  { steps, isReading }: LoopInput,
  call: Pick<TurnCall, "turn" | "callId">,
): TurnCall["recorded"] {
  if (isReading === true) return undefined;
  const { outcome, begun } = findRecorded(steps, stepName({ kind: "call", ...call, attempt: 0 }));
  if (outcome !== undefined) return "outcome";
  return begun ? "begun" : undefined;
}

/** True for a call that was not refused when a journal's process routed the calls of its turn: it was asked about. */
export function wasAsked({ steps, isReading }: LoopInput, turn: number, index: number): boolean {
  if (isReading === true) return false;
  const { outcome } = findRecorded(steps, stepName({ kind: "route", turn }));
  const routes = outcome?.ok === true ? (outcome.value as unknown as readonly CallRoute[]) : [];
  const route = routes[index];
  return route !== undefined && route.do !== "run";
}

/** What is recorded of calls when their round ends the run: the conversation may go on from here without them. */
export function keepRecorded(
  input: LoopInput,
  state: RunState,
  calls: readonly TurnCall[],
  operations: readonly Op<RunEvent>[],
): void {
  for (const [index, call] of calls.entries()) {
    const { current } = call;
    const operation = operations[index];
    if (operation === undefined) continue;
    const { outcome, begun } = findRecorded(input.steps, operation.name);
    if (isAwaiting(current)) {
      if (outcome === undefined) continue;
      noteAnswers(input, [operation], [outcome]);
      const checked = findChecked(input, state, QUESTIONS[current.state], operation.name, outcome);
      const next = checked && afterAnswer(input, state, call, current, checked);
      if (next?.state === "answered") call.current = next;
    } else if (current.state !== "running") continue;
    else if (outcome?.ok === true) {
      call.fromJournal = !call.executed;
      call.current = afterRun(input, state, call, current.attempt, outcome);
    } else if (begun) call.current = cutOff(input, state, call);
  }
}

/** The answers from outside are part of the turn. */
export function noteAnswers(
  { openTurns }: LoopInput,
  operations: readonly Op<RunEvent>[],
  outcomes: readonly Outcome[],
): void {
  const steps = openTurns.at(-1)?.steps;
  for (const [index, { kind, name, place }] of operations.entries()) {
    const outcome = outcomes[index];
    const isNoted = steps?.some((step) => step.name === name);
    if (kind === "wait" && place !== undefined && isNoted === false)
      steps?.push({ name, place, value: outcome?.ok === true ? outcome.value : undefined });
  }
}

/** Reports calls whose steps emitted nothing: a journal or somebody outside answered them. */
export async function reportAnswers(emit: Emit, calls: readonly TurnCall[]): Promise<void> {
  const unreported = calls.flatMap((call) => {
    const { current, fromJournal, endReported } = call;
    if (current.state !== "answered" || endReported) return [];
    return [{ call, value: current.value, mark: fromJournal && ({ replayed: true } as const) }];
  });
  for (const { call, value, mark } of unreported)
    if (!call.begun && value.notRun !== true) await emit({ ...toolStart(call), ...mark });
  for (const { call, value, mark } of unreported) {
    call.endReported = true;
    await emit({ ...toolEnd(call, value), ...mark });
  }
}
