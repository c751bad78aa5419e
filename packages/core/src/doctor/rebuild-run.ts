import type { Outcome } from "../durable/steps.ts";
import { isObject } from "../internal/json.ts";
import {
  callIdOf,
  callStepName,
  type CallStepValue,
  type ModelStepValue,
  parseStepName,
  waitName,
} from "../durable/run-log.ts";
import { isKept } from "../loop/ending.ts";
import { callsIn, unansweredResponse } from "../loop/transcript.ts";
import { addUsage, NO_USAGE, type Usage } from "../model/usage.ts";
import type { Content, FunctionCall, Part } from "../wire/types/content.ts";
import type { Item } from "./read-lines.ts";

/** What steps tell of their run, without its end. */
export interface RebuiltRun {
  /** What was said after the run's input, as far as steps hold it. */
  readonly added: readonly Content[];
  readonly turns: number;
  readonly toolCalls: number;
  readonly usage: Usage;
}

/**
 * Puts a run together from its steps. What steps do not hold is missing: the requests to answer otherwise, and calls that a
 * person refused read as not carried out.
 *
 * @param why - What is said to the model about calls without an outcome. `undefined` leaves those of the last turn open.
 */
export function rebuildRun(outcomes: ReadonlyMap<string, Outcome>, why: string | undefined): RebuiltRun {
  const turns = groupModelTurns(outcomes);
  const added: Content[] = [];
  let toolCalls = 0;
  for (const [turn, attempts] of turns) {
    for (const { steered } of attempts) added.push(...(steered?.contents ?? []));
    const last = attempts.at(-1);
    if (last === undefined || !isKept(last.response)) continue;
    const { content } = last.response;
    added.push(content);
    const calls = callsIn(content);
    toolCalls += calls.length;
    const answered = calls.map((call, index) => findAnswer(outcomes, callIdOf(turn, index), call));
    const isOpen = why === undefined && turn === Math.max(...turns.keys()) && answered.some((one) => one === undefined);
    if (calls.length === 0 || isOpen) continue;
    added.push({
      role: "user",
      parts: calls.map((call, i) => answered[i]?.part ?? unansweredResponse(call, why ?? "")),
    });
    const after = answered.flatMap((one) => one?.after ?? []);
    if (after.length > 0) added.push({ role: "user", parts: after });
  }
  return { added, turns: Math.max(0, ...turns.keys()), toolCalls, usage: sumUsage(outcomes) };
}

/** The turns that steps speak of whose answer of the model is not among them. */
export function findMissingTurns(steps: Iterable<string>): number[] {
  const spoken = new Set<number>();
  const asked = new Set<number>();
  for (const step of steps) {
    const name = parseStepName(step);
    if (name.kind === "other" || name.kind === "compact" || (name.kind === "model" && name.phase === "output"))
      continue;
    spoken.add(name.turn);
    if (name.kind === "model") asked.add(name.turn);
  }
  const last = Math.max(0, ...spoken);
  return Array.from({ length: last }, (_, index) => index + 1).filter((turn) => !asked.has(turn));
}

/** The answers of each turn of the work, in rising order; the last attempt is the one that was used. */
function groupModelTurns(outcomes: ReadonlyMap<string, Outcome>): Map<number, ModelStepValue[]> {
  const found: { turn: number; attempt: number; value: ModelStepValue }[] = [];
  for (const [name, outcome] of outcomes) {
    const step = parseStepName(name);
    const value = readValue(outcome);
    if (step.kind === "model" && step.phase === "work" && isModelStep(value))
      found.push({ turn: step.turn, attempt: step.attempt, value });
  }
  found.sort((a, b) => a.turn - b.turn || a.attempt - b.attempt);
  const turns = new Map<number, ModelStepValue[]>();
  for (const { turn, value } of found) turns.set(turn, [...(turns.get(turn) ?? []), value]);
  return turns;
}

function findAnswer(
  outcomes: ReadonlyMap<string, Outcome>,
  callId: string,
  call: FunctionCall,
): Pick<CallStepValue, "part" | "after"> | undefined {
  for (const name of answerNames(outcomes, callId)) {
    const value = readValue(outcomes.get(name));
    if (!isObject(value) || value["unknown"] === true) continue;
    // A call step's value has a part; what somebody outside answered has one of the others.
    if (isObject(value["part"])) return value as unknown as CallStepValue;
    if ("output" in value || "error" in value) return { part: externalResponse(call, value), after: [] };
  }
  return undefined;
}

/** The names under which a call may have been answered, the last one first. */
function answerNames(outcomes: ReadonlyMap<string, Outcome>, callId: string): string[] {
  const names = [callId];
  for (let time = 1; ; time++) {
    const pair = [waitName(callId, "unknown-outcome", time), callStepName(callId, time)];
    if (!pair.some((name) => outcomes.has(name))) return names.toReversed();
    names.push(...pair);
  }
}

function externalResponse({ id, name }: FunctionCall, answer: Record<string, unknown>): Part {
  const response = "output" in answer ? { output: answer["output"] } : { error: String(answer["error"]) };
  return { functionResponse: id ? { id, name, response } : { name, response } };
}

function sumUsage(outcomes: ReadonlyMap<string, Outcome>): Usage {
  let usage = NO_USAGE;
  for (const outcome of outcomes.values()) {
    const value = readValue(outcome);
    if (isModelStep(value)) usage = addUsage(usage, value.response.usage);
    if (!isObject(value) || !Array.isArray(value["nested"])) continue;
    // Shapes were checked; the context of a nested run says nothing about the caller's.
    for (const { usage: nested } of value["nested"] as CallStepValue["nested"])
      usage = { ...addUsage(usage, nested), contextTokens: usage.contextTokens };
  }
  return usage;
}

/** What steps and answers left, by their names, as a session reads it. */
export function collectOutcomes(items: readonly Item[]): Map<string, Outcome> {
  const outcomes = new Map<string, Outcome>();
  for (const { entry } of items) {
    if (entry.type === "step") outcomes.set(entry.step, entry.outcome);
    else if (entry.type === "answer") outcomes.set(entry.step, { ok: true, value: entry.value });
  }
  return outcomes;
}

/** What a step or an answer left; `undefined` when it failed or is not there. */
export function readValue(outcome: Outcome | undefined): unknown {
  return outcome?.ok === true ? outcome.value : undefined;
}

/** True for what a model step left. */
export function isModelStep(value: unknown): value is ModelStepValue {
  return isObject(value) && isObject(value["response"]) && isObject(value["response"]["content"]);
}
