import type { AnsweredCall, ClosedTurn, TurnProblem } from "../../durable/closed-turn.ts";
import {
  buildCallId,
  type CallRoute,
  type CompactStepValue,
  type GivenCheckValue,
  type InputCheckValue,
  type ModelStepValue,
  type SteeringStopped,
  type ModelStepRecord,
} from "../../durable/run-log.ts";
import { openCallsIn } from "../../model/history/open-calls.ts";
import type { ModelResponse } from "../../model/model.ts";
import { isEdit } from "../../tool/edited-args.ts";
import { readOutsideAnswer } from "../../tool/outside-answer.ts";
import { buildPendingCall } from "../../tool/pending-call.ts";
import type { PendingCall } from "../../tool/tool.ts";
import type { Content } from "../../wire/types/content.ts";
import { editCall, type TurnCall } from "../calls/call-state.ts";
import { toolEnd, toolStart } from "../calls/run-call.ts";
import type { Emit } from "../events.ts";
import { readStop } from "../guardrails.ts";
import { emitActions, withheld } from "./check-guardrails.ts";
import { compactEvent } from "./compaction.ts";
import { findGuard, isUnchecked } from "./fold-turns.ts";
import { emitParts, emitWhole } from "./model-step.ts";

/** The run whose turns are reported. */
interface ReportedRun {
  readonly runId: string;
  /** Its answers are JSON, not only the one that converts the work to the schema. */
  readonly isTyped: boolean;
  /** What its last turn waits for. */
  readonly pending?: readonly PendingCall[] | undefined;
}

/** Reports turns that were recorded, as the loop does when it reads them from a journal. */
export async function emitTurns(turns: readonly ClosedTurn[], emit: Emit, run: ReportedRun): Promise<void> {
  for (const turn of turns) await emitTurn(turn, emit, turn === turns.at(-1) ? run : { ...run, pending: [] });
}

async function emitTurn(told: ClosedTurn, emit: Emit, run: ReportedRun): Promise<void> {
  const { turn, calls } = told;
  await emit({ type: "turn-start", turn });
  const answer = await emitAnswers(told, emit, run.isTyped || told.phase === "output");
  await emitQuestions(told, answer?.content, emit, run);
  await emitCalls(calls, emit);
  // The wall time ended it in the middle of an answer.
  if (answer !== undefined) await emit({ type: "turn-end", turn });
}

/** @returns The answer that ended the asking; an empty one after a guardrail's stop. */
async function emitAnswers(
  told: ClosedTurn,
  emit: Emit,
  isTyped: boolean,
): Promise<Pick<ModelResponse, "content"> | undefined> {
  const { turn, steps } = told;
  const tried = new Map<TurnProblem, number>();
  let last: Pick<ModelResponse, "content"> | undefined;
  for (const [index, { place, value, discarded }] of steps.entries()) {
    if (place.kind === "compact") await emit(compactEvent(turn, value as CompactStepValue));
    else if (place.kind === "guard" && place.side === "input" && place.wait === undefined) {
      const { actions, response } = value as InputCheckValue;
      await emitActions({ emit }, turn, "input", actions);
      if (response !== undefined) {
        await emitParts(response.content.parts, turn, { emit });
        await emit({ type: "response", turn, response });
      }
      last = readStop("input", actions) === undefined ? response : NO_ANSWER;
    } else if (place.kind === "model") {
      const asked = value as ModelStepRecord;
      if ("tooLong" in asked) continue;
      await emitAsked(emit, turn, asked, isTyped);
      const shown = "stopped" in asked ? NO_ANSWER : await emitChecked(told, index, emit, isTyped);
      last = discarded === undefined ? shown : undefined;
      if (discarded === undefined) continue;
      const attempt = (tried.get(discarded) ?? 0) + 1;
      tried.set(discarded, attempt);
      const action = findNudge(told, index) ?? "retried unchanged";
      await emit({ type: "recover", turn, problem: discarded, attempt, action });
    }
  }
  return last;
}

/** What a request of a turn showed that a journal has: messages that came with it, and the answer unless it was held back. */
export async function emitAsked(
  emit: Emit,
  turn: number,
  value: ModelStepValue | SteeringStopped,
  isTyped: boolean,
): Promise<void> {
  await emitActions({ emit }, turn, "input", value.checked);
  if ("stopped" in value) return;
  const { steered, prepared, guarded, response } = value;
  if (steered !== undefined) await emit({ type: "steer", turn, contents: steered.contents });
  if (prepared?.breaks !== undefined) await emit({ type: "prefix-break", turn, fields: prepared.breaks });
  if (guarded !== "held") await emitWhole(response.content.parts, turn, { emit }, isTyped);
}

/** @returns The answer as its guardrails let it pass; `undefined` if they never did. */
async function emitChecked(
  { turn, steps }: ClosedTurn,
  index: number,
  emit: Emit,
  isTyped: boolean,
): Promise<Pick<ModelResponse, "content"> | undefined> {
  const { value, discarded } = steps[index] ?? {};
  // Of a model step.
  const { response, guarded } = value as ModelStepValue;
  const isHeld = guarded === "held";
  if (!isHeld) await emit({ type: "response", turn, response });
  if (guarded === undefined) return response;
  if (discarded !== undefined && discarded !== "invalid-output") {
    if (isHeld) await emit({ type: "response", turn, response: withheld(response) });
    return response;
  }
  if (isUnchecked(steps, index)) return undefined;
  const { actions = [], response: passed = response } = findGuard(steps, index) ?? {};
  await emitActions({ emit }, turn, "output", actions);
  if (readStop("output", actions) !== undefined) return NO_ANSWER;
  if (isHeld || passed !== response) {
    await emitWhole(passed.content.parts, turn, { emit }, isTyped);
    await emit({ type: "response", turn, response: passed });
  }
  return passed;
}

/** What the model was told before it was asked again after an answer. */
function findNudge({ steps, contents }: ClosedTurn, index: number): string | undefined {
  const { value, at = 0, discarded } = steps[index] ?? {};
  const { steered } = value as ModelStepValue;
  const place = at + (steered?.contents.length ?? 0) + (discarded === "invalid-output" ? 1 : 0);
  const next = steps.slice(index + 1).find((one) => one.place.kind === "model" && "response" in (one.value as object));
  const end = next === undefined ? contents.length : (next.at ?? 0);
  return place < end ? contents[place]?.parts[0]?.text : undefined;
}

/** Reports the questions about calls, and what guardrails did about what was said in answers to them. */
async function emitQuestions(
  { turn, steps }: ClosedTurn,
  answer: Content | undefined,
  emit: Emit,
  { runId, pending = [] }: ReportedRun,
): Promise<void> {
  const calls = openCallsIn(answer === undefined ? [] : [answer]).map((call, index): AskedCall => ({
    callId: buildCallId(turn, index),
    call,
  }));
  const find = (callId: string): AskedCall | undefined => calls.find((one) => one.callId === callId);
  for (const { name, place, value } of steps) {
    if (place.kind === "route" || place.kind === "reroute") {
      const routed = place.kind === "route" ? calls : [find(place.callId)];
      for (const [index, route] of (value as readonly CallRoute[]).entries()) {
        await emitActions({ emit }, turn, "input", route.checked);
        const one = routed[index];
        if (one === undefined || route.do === "deny") continue;
        if (route.args !== undefined) editCall(one, route.args);
        if (route.do !== "run") one.asked = route;
      }
    } else if (place.kind === "wait") {
      const one = find(place.callId);
      if (one === undefined) continue;
      const { question, time } = place;
      await emit({ type: "tool-pending", ...buildPendingCall(runId, { turn, ...one, question }, one.asked, time) });
      const check = steps.find((step) => step.place.kind === "guard" && step.place.wait === name);
      // What guardrails put in place of the answer.
      const { given = value } = (check?.value ?? {}) as Partial<GivenCheckValue>;
      const read = readOutsideAnswer(question, given);
      if (question === "approval" && read.kind === "edited" && isEdit(read.args, one.call)) editCall(one, read.args);
    } else if (place.kind === "guard" && place.wait !== undefined)
      await emitActions({ emit }, turn, "input", (value as GivenCheckValue).actions);
  }
  for (const question of pending) await emit({ type: "tool-pending", ...question });
}

/** A call while its questions are answered. */
type AskedCall = Pick<TurnCall, "callId" | "call" | "edited" | "asked">;

async function emitCalls(calls: readonly AnsweredCall[], emit: Emit): Promise<void> {
  for (const call of calls) if (call.value.notRun !== true) await emit(toolStart(call));
  for (const call of calls) await emit(toolEnd(call, call.value));
}

/** What is left of the answer to a message that was stopped. */
const NO_ANSWER: Pick<ModelResponse, "content"> = { content: { role: "model", parts: [] } };
