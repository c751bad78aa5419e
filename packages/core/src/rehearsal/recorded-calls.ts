import { asList, asObject, isObject, type Json, sameJson } from "../internal/json.ts";
import { numberCalls } from "../durable/run-log.ts";
import { outcomeOf as refusalOf, readOutsideAnswer } from "../tool/pending-call.ts";
import type { ToolOutcome } from "../tool/tool.ts";
import type { ModelResponse } from "../model/model.ts";
import type { Agent } from "../agent/agent.ts";

/** A call of a session, and what came of it. */
export interface RecordedCall {
  readonly runId: string;
  readonly turn: number;
  /** Unique in the run, such as `call:3.0`. */
  readonly callId: string;
  readonly name: string;
  readonly args: unknown;
  /** The `response` of its function response: an object with `output` or `error`. Absent where there was none. */
  readonly response?: unknown;
  /** What the turn's `route` step said to do with it; absent in a turn without one. */
  readonly route?: string | undefined;
  /** What it recorded with `ToolContext.step`, by name. Absent for nothing. */
  readonly steps?: { readonly [name: string]: Json } | undefined;
}

/** An object of unknown members: a log may hold anything. */
type Fields = Record<string, unknown>;

/** All calls of a log, oldest first; only those of one run with its id. Calls of runs inside calls are not in a log. */
export function recordedCalls(log: readonly Json[], runId?: string): readonly RecordedCall[] {
  const turns = new Map<string, Fields[]>();
  for (const value of log) {
    const entry = asObject(value);
    const { turn } = asObject(entry["place"]);
    if (typeof turn !== "number" || (runId !== undefined && entry["runId"] !== runId)) continue;
    const key = JSON.stringify([entry["runId"], turn]);
    const known = turns.get(key);
    if (known === undefined) turns.set(key, [entry]);
    else known.push(entry);
  }
  return [...turns.values()].flatMap(callsOfTurn);
}

function callsOfTurn(entries: readonly Fields[]): readonly RecordedCall[] {
  const runId = String(entries[0]?.["runId"]);
  const turn = Number(asObject(entries[0]?.["place"])["turn"]);
  const responses = entries.map((entry) => asObject(asObject(valueOf(entry))["response"]));
  const whole = responses.findLast((one) => isObject(one["content"]));
  const content = asObject(whole?.["content"]);
  const routes = entries.findLast((entry) => asObject(entry["place"])["kind"] === "route");
  const isWhole = Array.isArray(content["parts"]) && content["parts"].every(isObject);
  // A step's answer, as far as calls are concerned.
  const answer = isWhole ? (whole as unknown as ModelResponse) : undefined;
  return numberCalls(turn, answer).map(({ callId, call }, index) => {
    const { name, args = {} } = call;
    const { do: route, why } = asObject(routes && asList(valueOf(routes))[index]);
    const response = route === "deny" ? { error: why } : (responseTo(callId, entries) ?? denialOf(callId, entries));
    return {
      runId,
      turn,
      callId,
      name,
      args,
      ...(response !== undefined && { response }),
      ...(typeof route === "string" && { route }),
      ...stepsOf(callId, entries),
    };
  });
}

/** What a step recorded, somebody answered, or a job came to. */
function valueOf({ type, outcome, value }: Fields): unknown {
  if (type === "answer") return value;
  return type === "job" ? outcome : asObject(outcome)["value"];
}

function stepsOf(callId: string, entries: readonly Fields[]): Pick<RecordedCall, "steps"> {
  const steps = entries.flatMap((entry) => {
    const { kind, callId: id, name } = asObject(entry["place"]);
    const recorded = asList(valueOf(entry));
    // In a list, where nothing can be recorded too; a log is JSON.
    return kind === "inner" && id === callId ? [[String(name), (recorded[0] ?? null) as Json] as const] : [];
  });
  return steps.length === 0 ? {} : { steps: Object.fromEntries(steps) };
}

function responseTo(callId: string, entries: readonly Fields[]): unknown {
  for (const entry of entries.toReversed()) {
    const place = asObject(entry["place"]);
    if (place["callId"] !== callId) continue;
    const isOutside = entry["type"] === "job" || (entry["type"] === "answer" && place["question"] === "outcome");
    if (place["kind"] !== "call" && !isOutside) continue;
    const { part, output, error } = asObject(valueOf(entry));
    const told = asObject(asObject(part)["functionResponse"])["response"];
    if (told !== undefined) return told;
    // Somebody outside answered the call itself.
    if (isOutside && (output !== undefined || error !== undefined)) return error === undefined ? { output } : { error };
  }
  return undefined;
}

/** What the model is told of a call that somebody refused later, or whose request was taken back. */
function denialOf(callId: string, entries: readonly Fields[]): unknown {
  const answer = entries.findLast(({ type, place }) => {
    const { callId: id, question } = asObject(place);
    return type === "answer" && id === callId && question === "approval";
  });
  const outcome = answer && refusalOf("approval", readOutsideAnswer("approval", answer["value"]));
  return outcome?.ok === false ? { error: outcome.message } : undefined;
}

/** What a recording says about a call. */
export interface RecordedOutcome {
  readonly outcome: ToolOutcome;
  /** The call was made more often than when it was recorded: this is the last outcome once more. */
  readonly isRepeated: boolean;
}

/** Outcomes of recorded calls by name and arguments, in order, and then the last one again. */
export class RecordedOutcomes {
  readonly #calls: { readonly recorded: RecordedCall; isUsed: boolean }[];
  readonly #match: { readonly [name: string]: ((recorded: unknown, args: unknown) => boolean) | undefined };

  /** @param match - Says by tool name whether other arguments are the same call. @defaultValue equal JSON, whatever the order of keys */
  constructor(
    calls: readonly RecordedCall[],
    match: { readonly [name: string]: ((recorded: unknown, args: unknown) => boolean) | undefined } = {},
  ) {
    this.#calls = calls.flatMap((recorded) => (isObject(recorded.response) ? [{ recorded, isUsed: false }] : []));
    this.#match = match;
  }

  /** @returns Undefined for a call that was not made. */
  next(name: string, args: unknown): RecordedOutcome | undefined {
    const isSame = (Object.hasOwn(this.#match, name) ? this.#match[name] : undefined) ?? sameJson;
    const same = this.#calls.filter(({ recorded }) => recorded.name === name && isSame(recorded.args, args));
    const unused = same.find(({ isUsed }) => !isUsed);
    const found = unused ?? same.at(-1);
    if (found === undefined) return undefined;
    found.isUsed = true;
    return { outcome: outcomeOf(found.recorded), isRepeated: unused === undefined };
  }
}

function outcomeOf({ response }: RecordedCall): ToolOutcome {
  const { error, output } = asObject(response);
  if (error === undefined) return { ok: true, output };
  return { ok: false, kind: "failed", message: typeof error === "string" ? error : JSON.stringify(error) };
}

/**
 * Calls of a log that have read what is no longer the same, such as a skill whose text has changed: a sentence each, oldest first. A replay
 * gives calls their recorded outcomes, so this asks the tools of the agent that can tell: see `Tool.changedSince`.
 *
 * @param runId - Only calls of this run. @defaultValue all runs
 */
export async function changedCalls(
  { tools }: Pick<Agent, "tools">,
  log: readonly Json[],
  runId?: string,
): Promise<readonly string[]> {
  const changes: string[] = [];
  for (const { callId, name, steps } of recordedCalls(log, runId)) {
    const tool = tools.find((one) => one.kind === "function" && one.name === name);
    const change = steps && tool?.kind === "function" ? await tool.changedSince?.(steps) : undefined;
    if (change !== undefined) changes.push(`${callId} (${name}) has read something else: ${change}`);
  }
  return changes;
}
