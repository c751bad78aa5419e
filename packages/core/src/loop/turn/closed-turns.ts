import type { ClosedTurn, LostUsage, TurnProblem, TurnStep } from "../../durable/closed-turn.ts";
import {
  type CompactStepValue,
  type InputCheckValue,
  type ModelStepValue,
  type OutputCheckValue,
  type ModelStepRecord,
  numberCalls,
  type CallRoute,
  type GivenCheckValue,
  type SteeringStopped,
} from "../../durable/run-log.ts";
import { classifyFinish } from "../../model/response/fold.ts";
import { openCallsIn } from "../../model/history/open-calls.ts";
import { needsCheck, readStop } from "../guardrails.ts";
import type { LoopInput } from "../loop-input.ts";
import type { RunState } from "../run-state.ts";
import { closeOpenCalls } from "../transcript.ts";
import { actionEvents, withheld } from "./check-guardrails.ts";
import { addSummary, compactEvent } from "./compact-history.ts";
import type { ModelResponse } from "../../model/model.ts";
import { buildPendingCall, isEdit, readOutsideAnswer } from "../../tool/pending-call.ts";
import type { PendingCall } from "../../tool/tool.ts";
import { heldEvent } from "../calls/approvals.ts";
import { editCall, type TurnCall } from "../calls/call-state.ts";
import { toolEnd, toolStart } from "../calls/run-call.ts";
import type { RunEvent } from "../events.ts";
import { responseEvents, wholeEvents } from "./model-step.ts";

/** What a fold needs for answers whose cost was not recorded. */
type Pricing = Pick<LoopInput, "prices" | "model">;

/** Restores the state of a run after some turns, without deciding anything. @param lost - The usage of broken answers. */
export function foldTurns(
  state: RunState,
  turns: readonly ClosedTurn[],
  lost: readonly LostUsage[],
  pricing: Pricing,
): void {
  for (const turn of turns) {
    for (const one of lost) if (one.turn > state.turns && one.turn <= turn.turn) state.addLost(one);
    foldTurn(state, turn, pricing);
  }
  for (const one of lost) if (one.turn > state.turns) state.addLost(one);
}

function foldTurn(state: RunState, { turn, phase, contents, steps, calls }: ClosedTurn, pricing: Pricing): void {
  state.turns = turn;
  let added = 0;
  const addContents = (end: number): void => {
    if (phase === undefined) state.contents.push(...contents.slice(added, end));
    added = end;
  };
  for (const [index, step] of steps.entries()) {
    const { place, value, at = 0, keepFrom, discarded } = step;
    if (place.kind === "compact") addSummary(state, value as CompactStepValue, keepFrom);
    else if (place.kind === "guard" && place.side === "input") {
      const { response, startedAt, endedAt } = value as InputCheckValue;
      state.addActiveTime(startedAt, endedAt);
      if (response !== undefined) state.addAnswer({ response, startedAt: endedAt, endedAt }, pricing);
    } else if (place.kind === "guard") {
      const { actions, response, startedAt, endedAt } = value as OutputCheckValue;
      state.addActiveTime(startedAt, endedAt);
      const { lastResponse: given } = state;
      const isStopped = readStop("output", actions) !== undefined;
      if (given !== undefined && (isStopped || response !== undefined)) state.replaceLast(response ?? withheld(given));
    } else if (place.kind === "model") {
      const record = value as ModelStepRecord;
      if ("tooLong" in record) continue;
      if (record.steered !== undefined) state.addSteered(record.steered);
      if ("stopped" in record) continue;
      addContents(at + (record.steered?.contents.length ?? 0));
      state.addAnswer(record, pricing, phase);
      if (isUnchecked(steps, index)) state.replaceLast(withheld(record.response));
      if (discarded !== undefined) state.discarded.add(record.response);
    }
  }
  addContents(contents.length);
  state.toolCalls += calls.length;
  for (const call of calls) state.addCall(call);
  if (calls.length === 0 || state.lastResponse === undefined) return;
  const { content, finishReason } = state.lastResponse;
  state.cutOffTurns = classifyFinish(finishReason) === "truncated" ? state.cutOffTurns + 1 : 0;
  state.repeats.addTurn(
    openCallsIn([content]),
    calls.map(({ value }) => value.part),
  );
}

/** True for an answer that guardrails should have checked and have not: nobody may see it. */
function isUnchecked(steps: readonly TurnStep[], index: number): boolean {
  const { value, discarded } = steps[index] ?? {};
  // Of a model step.
  const { response, guarded } = value as ModelStepValue;
  if (guarded === undefined || findGuard(steps, index) !== undefined) return false;
  return (discarded === undefined || discarded === "invalid-output") && needsCheck(response.content);
}

function findGuard(steps: readonly TurnStep[], index: number): OutputCheckValue | undefined {
  const { place, value } = steps[index + 1] ?? {};
  return place?.kind === "guard" && place.side === "output" ? (value as OutputCheckValue) : undefined;
}

/** The open turns of a run, closed as if it ended now. Calls without an answer are marked as not run. */
export function describeTurns(state: RunState): readonly ClosedTurn[] {
  const { openTurns } = state;
  return openTurns.map(({ turn, phase, contents, from, steps, calls }, index): ClosedTurn => {
    const isLast = index === openTurns.length - 1;
    // The work may have continued after an output phase.
    const next = openTurns.slice(index + 1).find((one) => one.contents === contents);
    // The calls that already have an answer.
    const answered = (isLast ? state.calls : []).flatMap(({ turn: made, callId, call, edited, current }) =>
      current.state === "answered" ? { turn: made, callId, call, ...(edited && { edited }), value: current.value } : [],
    );
    return {
      turn,
      ...(phase === "output" && { phase }),
      contents: (isLast ? closeOpenCalls(contents, state.answeredParts()) : contents).slice(from, next?.from),
      steps: [...steps],
      calls: [...calls, ...answered],
    };
  });
}

interface ReportedRun {
  readonly runId: string;
  /** Name of the agent that begins the turns. */
  readonly agent: string;
  /** Its answers are JSON, not only the one that converts the work to the schema. */
  readonly isTyped: boolean;
  /** What its last turn waits for. */
  readonly pending?: readonly PendingCall[] | undefined;
}

/** The events of recorded turns, as the loop emits them when it reads the turns from a journal. */
export function* turnEvents(turns: readonly ClosedTurn[], run: ReportedRun): Events {
  let { agent } = run;
  for (const turn of turns) {
    yield* eventsOf(turn, { ...run, agent, ...(turn !== turns.at(-1) && { pending: [] }) });
    agent = findHandoff(turn) ?? agent;
  }
}

type Events<Found = void> = Generator<RunEvent, Found, void>;

function findHandoff({ calls }: ClosedTurn): string | undefined {
  return calls.find(({ value }) => value.handoff !== undefined)?.value.handoff;
}

function* eventsOf(closed: ClosedTurn, run: ReportedRun): Events {
  const { turn, calls } = closed;
  yield { type: "turn-start", turn };
  const answer = yield* answerEvents(closed, run.isTyped || closed.phase === "output");
  yield* questionEvents(closed, answer, run);
  for (const call of calls) if (call.value.notRun !== true) yield toolStart(call);
  for (const call of calls) yield toolEnd(call, call.value);
  const to = findHandoff(closed);
  if (to !== undefined && (run.pending ?? []).length === 0) yield { type: "handoff", turn, from: run.agent, to };
  // The wall time ended it in the middle of an answer.
  if (answer !== undefined) yield { type: "turn-end", turn };
}

/** @returns The turn's last answer; an empty one after a guardrail's stop. */
function* answerEvents(closed: ClosedTurn, isTyped: boolean): Events<Shown | undefined> {
  const { turn, steps } = closed;
  const tried = new Map<TurnProblem, number>();
  let last: Shown | undefined;
  for (const [index, { place, value, discarded }] of steps.entries()) {
    if (place.kind === "compact") yield compactEvent(turn, value as CompactStepValue);
    else if (place.kind === "guard" && place.side === "input" && place.wait === undefined) {
      const { actions, response } = value as InputCheckValue;
      yield* actionEvents(turn, "input", actions);
      if (response !== undefined) yield* responseEvents(response, turn, false);
      last = readStop("input", actions) === undefined ? response : NO_ANSWER;
    } else if (place.kind === "model") {
      const record = value as ModelStepRecord;
      if ("tooLong" in record) continue;
      yield* askedEvents(turn, record, isTyped);
      const shown = "stopped" in record ? NO_ANSWER : yield* checkedEvents(closed, index, isTyped);
      last = discarded === undefined ? shown : undefined;
      if (discarded === undefined) continue;
      const attempt = (tried.get(discarded) ?? 0) + 1;
      tried.set(discarded, attempt);
      const action = findNudge(closed, index) ?? "retried unchanged";
      yield { type: "recover", turn, problem: discarded, attempt, action };
    }
  }
  return last;
}

type Shown = Pick<ModelResponse, "content" | "standIns">;

/** The events of a recorded request: the messages that came with it, and the answer unless it was held back. */
export function* askedEvents(turn: number, value: ModelStepValue | SteeringStopped, isTyped: boolean): Events {
  yield* actionEvents(turn, "input", value.checked);
  if ("stopped" in value) return;
  const { steered, prepared, guarded, response } = value;
  if (steered !== undefined) yield { type: "steer", turn, contents: steered.contents };
  if (prepared?.breaks !== undefined) yield { type: "prefix-break", turn, fields: prepared.breaks };
  if (guarded !== "held") yield* wholeEvents(response.content.parts, turn, isTyped);
}

/** @returns The answer as its guardrails let it pass; `undefined` if they never did. */
function* checkedEvents({ turn, steps }: ClosedTurn, index: number, isTyped: boolean): Events<Shown | undefined> {
  const { value, discarded } = steps[index] ?? {};
  // Of a model step.
  const { response, guarded } = value as ModelStepValue;
  const isHeld = guarded === "held";
  if (!isHeld) yield { type: "response", turn, response };
  if (guarded === undefined) return response;
  if (discarded !== undefined && discarded !== "invalid-output") {
    if (isHeld) yield { type: "response", turn, response: withheld(response) };
    return response;
  }
  if (isUnchecked(steps, index)) return undefined;
  const { actions = [], response: passed = response } = findGuard(steps, index) ?? {};
  yield* actionEvents(turn, "output", actions);
  if (readStop("output", actions) !== undefined) return NO_ANSWER;
  if (isHeld || passed !== response) yield* responseEvents(passed, turn, isTyped);
  return passed;
}

/** The text that asked the model again after an unusable answer. */
function findNudge({ steps, contents }: ClosedTurn, index: number): string | undefined {
  const { value, at = 0, discarded } = steps[index] ?? {};
  const { steered } = value as ModelStepValue;
  const place = at + (steered?.contents.length ?? 0) + (discarded === "invalid-output" ? 1 : 0);
  const next = steps.slice(index + 1).find((one) => one.place.kind === "model" && "response" in (one.value as object));
  const end = next === undefined ? contents.length : (next.at ?? 0);
  return place < end ? contents[place]?.parts[0]?.text : undefined;
}

function* questionEvents(
  { turn, steps }: ClosedTurn,
  answer: Shown | undefined,
  { runId, pending = [] }: ReportedRun,
): Events {
  const calls: readonly AskedCall[] = numberCalls(turn, answer);
  const find = (callId: string): AskedCall | undefined => calls.find((one) => one.callId === callId);
  for (const { name, place, value, job } of steps) {
    if (place.kind === "route" || place.kind === "reroute") {
      const routed = place.kind === "route" ? calls : [find(place.callId)];
      for (const [index, route] of (value as readonly CallRoute[]).entries()) {
        const one = routed[index];
        if (one !== undefined && route.because !== undefined) yield heldEvent({ turn, ...one }, route.because);
        yield* actionEvents(turn, "input", route.checked);
        if (one === undefined || route.do === "deny") continue;
        if (route.args !== undefined) editCall(one, route.args);
        if (route.do !== "run") one.asked = route;
      }
    } else if (place.kind === "wait") {
      const one = find(place.callId);
      if (one === undefined) continue;
      const { question, time } = place;
      yield {
        type: "tool-pending",
        ...buildPendingCall(runId, { turn, ...one, question }, { ...one.asked, job }, time),
      };
      const check = steps.find((step) => step.place.kind === "guard" && step.place.wait === name);
      // The guardrails' replacement of the answer, if any.
      const { given = value } = (check?.value ?? {}) as Partial<GivenCheckValue>;
      const read = readOutsideAnswer(question, given);
      if (read.kind === "asks") editCall(one, { ...one.call.args, ...read.args });
      else if (question === "approval" && read.kind === "edited" && isEdit(read.args, one.call))
        editCall(one, read.args);
    } else if (place.kind === "guard" && place.wait !== undefined)
      yield* actionEvents(turn, "input", (value as GivenCheckValue).actions);
  }
  for (const question of pending) yield { type: "tool-pending", ...question };
}

type AskedCall = Pick<TurnCall, "callId" | "call" | "edited" | "asked">;

/** The answer after a guardrail has stopped the message or the answer. */
const NO_ANSWER: Shown = { content: { role: "model", parts: [] } };
