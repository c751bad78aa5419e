import type { ClosedTurn, LostUsage } from "../durable/closed-turn.ts";
import { type InputCheckValue, type ModelStepValue, numberCalls } from "../durable/run-log.ts";
import type { ModelResponse } from "../model/model.ts";
import type { Cost, Usage } from "../model/usage.ts";
import { visibleText } from "../model/response/parts.ts";
import type { PendingCall } from "../tool/tool.ts";
import type { ToolCall } from "../tool/tool-call.ts";
import type { Part } from "../wire/types/content.ts";
import { buildResult, listCalls } from "./build-result.ts";
import { type Emit, runEnd } from "./events.ts";
import type { GuardrailStop } from "./guardrails.ts";
import type { LimitReached } from "./limits.ts";
import type { LoopInput } from "./loop-input.ts";
import type { RunResult, StopReason } from "./result.ts";
import type { RunState } from "./run-state.ts";
import { findAnswering } from "./turn/check-guardrails.ts";
import type { Ending } from "./turn/classify-answer.ts";
import { foldTurns, turnEvents } from "./turn/closed-turns.ts";

/** A run that has ended with a result, as it was recorded. */
export interface RecordedRun {
  /** All turns, including the ones that were open at the end. */
  readonly turns: readonly ClosedTurn[];
  /** The usage of broken answers, one entry for each failure of the run. */
  readonly lost?: readonly LostUsage[] | undefined;
  readonly ended: RecordedEnding;
  /** The questions that are still open; absent: all of them. */
  readonly open?: readonly PendingCall[] | undefined;
  /** The answer so far, when the run ended in the middle of it. */
  readonly interrupted?: readonly Part[] | undefined;
  /** How its answer was typed; absent for a run without a schema. */
  readonly output?: "native" | "converted" | undefined;
}

/** How a run ended, and what it used. */
export interface RecordedEnding extends Cost {
  readonly stopReason: StopReason;
  readonly usage: Usage;
  readonly reached?: LimitReached | undefined;
  readonly guardrail?: GuardrailStop | undefined;
  readonly pending?: readonly PendingCall[] | undefined;
  /** What did not match the schema. */
  readonly problem?: string | undefined;
}

type RecallInput = Pick<LoopInput, "identity" | "model" | "emit" | "historyLength"> & {
  /** Checks a typed answer; absent when the caller now requests no type. */
  readonly parse: NonNullable<LoopInput["output"]>["parse"] | undefined;
};

/** The result of a run that has ended, and its events, as they were. @param state - Has the contents before the run and its message. */
export async function recallRun(
  input: RecallInput,
  state: RunState,
  { turns, lost = [], ended, open, interrupted, output }: RecordedRun,
): Promise<RunResult<unknown>> {
  const { identity, model } = input;
  const emit: Emit | undefined = input.emit && ((event) => input.emit?.({ ...event, replayed: true }));
  const { pending, usage, cost, unpriced, pricesAsOf, currency } = ended;
  if (emit !== undefined) {
    await emit({ type: "run-start", ...identity, model: model.id });
    for (const event of turnEvents(turns, { ...identity, isTyped: output === "native", pending })) await emit(event);
  }
  // The calls of a turn are not settled while some of them wait.
  const waiting = pending === undefined ? undefined : turns.at(-1);
  const settled = waiting === undefined ? turns : [...turns.slice(0, -1), { ...waiting, calls: [] }];
  foldTurns(state, settled, lost, { prices: undefined, model });
  if (interrupted !== undefined) state.partial.settle(interrupted, []);
  const ending = await findEnding(input, state, turns, open === undefined ? ended : { ...ended, pending: open });
  const built = buildResult({ identity, historyLength: input.historyLength, prices: undefined }, state, ending);
  const result = Object.assign(built, {
    toolCalls: waiting === undefined ? built.toolCalls : [...built.toolCalls, ...describeOpen(state, waiting, ended)],
    usage,
    cost: unpriced === undefined ? cost : undefined,
    ...(unpriced !== undefined && { unpriced }),
    ...(pricesAsOf !== undefined && { pricesAsOf }),
    ...(currency !== undefined && { currency }),
  });
  if (emit !== undefined) await emit({ type: "run-end", result: runEnd(result) });
  return result;
}

function describeOpen(
  { lastResponse }: RunState,
  { turn, calls }: ClosedTurn,
  { pending = [] }: RecordedEnding,
): readonly ToolCall[] {
  const open = numberCalls(turn, lastResponse).map((made) => {
    const known = [...calls, ...pending].find(({ callId }) => callId === made.callId);
    return { ...made, ...known, endsRun: undefined };
  });
  return listCalls(open);
}

async function findEnding(
  { parse }: RecallInput,
  state: RunState,
  turns: readonly ClosedTurn[],
  { stopReason, reached, guardrail, pending, problem = "" }: RecordedEnding,
): Promise<Ending> {
  const { lastResponse: last } = state;
  const { finishReason = "", finishMessage } = last ?? {};
  switch (stopReason) {
    case "finished":
      return await findAnswer(parse, last, turns.at(-1));
    case "limit":
      return { stopReason, limit: reached ?? notInLog(state, "limit") };
    case "guardrail":
      return { stopReason, guardrail: guardrail ?? notInLog(state, "guardrail") };
    case "needs-approval":
    case "needs-outcome":
      return { stopReason, pending: pending ?? [] };
    case "blocked":
    case "bad-call":
    case "unknown-finish":
      return { stopReason, finishReason, finishMessage };
    case "invalid-output":
      return { stopReason, problem };
    default:
      return { stopReason };
  }
}

function notInLog({ runId }: RunState, what: string): never {
  throw new RangeError(`run ${runId} ended by a ${what} that is not in its log`);
}

async function findAnswer(
  parse: RecallInput["parse"],
  answer: ModelResponse | undefined,
  last: ClosedTurn | undefined,
): Promise<Ending> {
  const stopReason = "finished";
  const ending = last?.calls.find(({ endsRun }) => endsRun);
  if (ending !== undefined) return { stopReason, endedBy: ending.call.name, output: ending.value.ending?.output };
  const answeredBy = last === undefined ? undefined : findGuardrail(last);
  if (answeredBy !== undefined) return { stopReason, output: undefined, answeredBy };
  if (parse === undefined) return { stopReason, output: undefined };
  const parsed = await parse(answer === undefined ? "" : visibleText(answer.content));
  return parsed.ok ? { stopReason, output: parsed.value } : { stopReason: "invalid-output", problem: parsed.problem };
}

function findGuardrail({ steps }: ClosedTurn): string | undefined {
  for (const { place, value } of steps) {
    const isInput = place.kind === "guard" && place.side === "input" && place.wait === undefined;
    const { actions, checked = actions } = value as Partial<InputCheckValue & ModelStepValue>;
    const found = (isInput || place.kind === "model") && checked && findAnswering(checked);
    if (typeof found === "string") return found;
  }
  return undefined;
}
