import type { Outcome } from "../durable/steps.ts";
import {
  buildCallId,
  type CallStepValue,
  guardStepName,
  type ModelStepValue,
  type OutputCheckValue,
  parseStepName,
  type StepName,
} from "../durable/run-log.ts";
import { isObject } from "../internal/json.ts";
import { needsCheck, readStop } from "../loop/guardrails.ts";
import { unansweredResponse } from "../loop/transcript.ts";
import { isKept } from "../loop/turn/classify-answer.ts";
import { openCallsIn } from "../model/history/open-calls.ts";
import type { ModelResponse } from "../model/model.ts";
import { addUsage, NO_USAGE, type Usage } from "../model/usage.ts";
import type { ContentRef, SessionEntry } from "../session/log/entries.ts";
import { resolveRefs, type RunRecord, SessionView } from "../session/log/session-view.ts";
import type { PendingQuestion } from "../tool/tool.ts";
import type { Content, FunctionCall } from "../wire/types/content.ts";
import { isNameless } from "./entry-shape.ts";
import type { Change } from "./pair-calls.ts";

/** A log as a session reads it, and the record of each of its runs. */
export function readRuns(entries: Iterable<SessionEntry>): { view: SessionView; runs: readonly RunRecord[] } {
  const view = new SessionView();
  const runs: RunRecord[] = [];
  for (const entry of entries) {
    view.add(entry);
    if (entry.type === "run" && view.run !== undefined) runs.push(view.run);
  }
  return { view, runs };
}

/** What the steps of a run tell without its end. */
export interface RebuiltRun {
  /** Contents after the run's input, as far as steps hold them. */
  readonly added: readonly Content[];
  readonly turns: number;
  readonly toolCalls: number;
  readonly usage: Usage;
}

/**
 * Rebuilds a run from its steps. What steps do not hold is missing: retry requests, and calls that a person denied count as
 * not executed.
 *
 * @param why - The error the model reads for calls without an outcome. `undefined` leaves those of the last turn open.
 */
export function rebuildRun(outcomes: ReadonlyMap<string, Outcome>, why: string | undefined): RebuiltRun {
  const attempts = listModelSteps(outcomes)
    .filter(({ phase }) => phase === "work")
    .toSorted((a, b) => a.turn - b.turn || a.attempt - b.attempt);
  const last = attempts.at(-1)?.turn ?? 0;
  const values = listCallValues(outcomes);
  const added: Content[] = [];
  let toolCalls = 0;
  for (const [index, { turn, attempt, value }] of attempts.entries()) {
    added.push(...(value.steered?.contents ?? []));
    // Only the last attempt of a turn was used.
    const response = checkedResponse(outcomes, turn, attempt, value);
    if (attempts[index + 1]?.turn === turn || response === undefined || !isKept(response)) continue;
    const { content } = response;
    added.push(content);
    const calls = openCallsIn([content]);
    toolCalls += calls.length;
    const answers = calls.map((call, position) => findAnswer(call, values.get(buildCallId(turn, position))));
    const isOpen = why === undefined && turn === last && answers.includes(undefined);
    if (calls.length === 0 || isOpen) continue;
    added.push({
      role: "user",
      parts: calls.map((call, i) => answers[i]?.part ?? unansweredResponse(call, why ?? "")),
    });
    const after = answers.flatMap((answer) => answer?.after ?? []);
    if (after.length > 0) added.push({ role: "user", parts: after });
  }
  return { added, turns: last, toolCalls, usage: sumUsage(outcomes) };
}

/** An answer as its guardrails let it pass; nothing if they stopped it, or were not asked any more. */
function checkedResponse(
  outcomes: ReadonlyMap<string, Outcome>,
  turn: number,
  attempt: number,
  { guarded, response }: ModelStepValue,
): ModelResponse | undefined {
  if (guarded === undefined || !needsCheck(response.content)) return response;
  const checked = readValue(outcomes.get(guardStepName("output", turn, attempt)));
  if (!isObject(checked) || !Array.isArray(checked["actions"])) return undefined;
  // The name of the step says what it left.
  const value = checked as unknown as OutputCheckValue;
  return readStop("output", value.actions) === undefined ? (value.response ?? response) : undefined;
}

/** What a model step left, and where in the run. */
interface ModelStep extends Extract<StepName, { kind: "model" }> {
  readonly value: ModelStepValue;
}

/** The model steps of a run that succeeded, in log order. */
export function listModelSteps(outcomes: ReadonlyMap<string, Outcome>): readonly ModelStep[] {
  return [...outcomes].flatMap(([name, outcome]): readonly ModelStep[] => {
    const step = parseStepName(name);
    const value = readValue(outcome);
    return step.kind === "model" && isModelStep(value) ? [{ ...step, value }] : [];
  });
}

/** What a call step left, or an answer from outside. */
export interface CallValue {
  /** What was answered; `undefined` for what the step left. */
  readonly question: PendingQuestion | undefined;
  readonly value: unknown;
}

/** What there is about each call, by its id, in log order. */
export function listCallValues(outcomes: ReadonlyMap<string, Outcome>): ReadonlyMap<string, readonly CallValue[]> {
  const found = new Map<string, CallValue[]>();
  for (const [name, outcome] of outcomes) {
    const step = parseStepName(name);
    const value = readValue(outcome);
    if ((step.kind !== "wait" && step.kind !== "call") || value === undefined) continue;
    // An outcome from outside has the name of its call, but no part.
    const ofStep = isObject(value) && "part" in value ? undefined : "outcome";
    const question = step.kind === "wait" ? step.question : ofStep;
    found.set(step.callId, [...(found.get(step.callId) ?? []), { question, value }]);
  }
  return found;
}

function findAnswer(
  { id, name }: FunctionCall,
  values: readonly CallValue[] = [],
): Pick<CallStepValue, "part" | "after"> | undefined {
  for (const { value } of values.toReversed()) {
    if (!isObject(value) || value["unknown"] === true) continue;
    // The shape of call steps was checked.
    if (isObject(value["part"])) return value as unknown as CallStepValue;
    if (!("output" in value) && !("error" in value)) continue;
    const response = "output" in value ? { output: value["output"] } : { error: String(value["error"]) };
    return { part: { functionResponse: id ? { id, name, response } : { name, response } }, after: [] };
  }
  return undefined;
}

function sumUsage(outcomes: ReadonlyMap<string, Outcome>): Usage {
  let usage = NO_USAGE;
  for (const [name, outcome] of outcomes) {
    const value = readValue(outcome);
    if (isModelStep(value) && parseStepName(name).kind === "model") usage = addUsage(usage, value.response.usage);
    if (!isObject(value) || !Array.isArray(value["nested"])) continue;
    // Shapes were checked; a nested run's context size says nothing about the caller's.
    for (const { usage: nested } of value["nested"] as CallStepValue["nested"])
      usage = { ...addUsage(usage, nested), contextTokens: usage.contextTokens };
  }
  return usage;
}

/** True when the steps include a turn without its model step, or one was skipped. */
export function hasMissingTurns(steps: Iterable<string>): boolean {
  let last = 0;
  const asked = new Set<number>();
  for (const step of steps) {
    const name = parseStepName(step);
    if (name.kind === "other" || name.kind === "compact" || (name.kind === "model" && name.phase === "output"))
      continue;
    last = Math.max(last, name.turn);
    if (name.kind === "model") asked.add(name.turn);
  }
  for (let turn = 1; turn <= last; turn++) if (!asked.has(turn)) return true;
  return false;
}

/** The contents that refs stand for, except those whose steps are missing. */
export function resolveKnownRefs(
  refs: readonly ContentRef[],
  outcomes: ReadonlyMap<string, Outcome>,
): { contents: readonly Content[]; missing: readonly Change[] } {
  const missing: Change[] = [];
  const has = (step: string, member: keyof typeof IS_USABLE, remedy: string): boolean => {
    const value = readValue(outcomes.get(step));
    if (isObject(value) && IS_USABLE[member](value)) return true;
    missing.push({ problem: `the end refers to ${step}, which is not in the log`, remedy });
    return false;
  };
  const known = refs.flatMap((ref): ContentRef | [] => {
    if ("model" in ref) return has(ref.model, "response", "the model's response is omitted") ? ref : [];
    if ("calls" in ref) {
      const calls = ref.calls.filter((one) => typeof one !== "string" || has(one, "part", "its result is omitted"));
      return calls.length > 0 ? { calls } : [];
    }
    if (!("after" in ref)) return ref;
    const after = ref.after.filter((step) => has(step, "after", "what followed its result is omitted"));
    return after.length > 0 ? { after } : [];
  });
  return { contents: resolveRefs(known, outcomes), missing };
}

/** Whether a step's value holds what a ref stands for. */
const IS_USABLE = {
  response: (value: unknown): boolean => isModelStep(value) && !value.response.content.parts.some(isNameless),
  part: ({ part }: Record<string, unknown>): boolean => isObject(part),
  after: ({ after }: Record<string, unknown>): boolean => Array.isArray(after),
};

/** What a step or an answer left; `undefined` when it failed or is missing. */
export function readValue(outcome: Outcome | undefined): unknown {
  return outcome?.ok === true ? outcome.value : undefined;
}

/** True for what a model step left. */
export function isModelStep(value: unknown): value is ModelStepValue {
  return isObject(value) && isObject(value["response"]) && isObject(value["response"]["content"]);
}
