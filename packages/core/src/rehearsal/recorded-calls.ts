import type { Agent } from "../agent/agent.ts";
import { type CallRoute, numberCalls } from "../durable/run-log.ts";
import { asList, asObject, isObject, type Json, present, sameJson } from "../internal/json.ts";
import { listAttempts, readAnswer } from "../session/log/derive-open.ts";
import { followCall } from "../session/log/call-standing.ts";
import { checkEntryHeader, checkEntryMembers, isKnownType, type SessionEntry } from "../session/log/entries.ts";
import { addToRecord, beginRecord, PlacedSteps, type RunRecord } from "../session/log/run-record.ts";
import type { ToolOutcome } from "../tool/tool.ts";

/** A call of a session, and its response. */
export interface RecordedCall {
  readonly runId: string;
  readonly turn: number;
  /** Unique in the run, such as `call:3.0`. */
  readonly callId: string;
  readonly name: string;
  readonly args: unknown;
  /** The `response` of its function response: an object with `output` or `error`. Absent if there was none. */
  readonly response?: unknown;
  /** How the turn's `route` step decided to handle the call; absent in a turn without one. */
  readonly route?: string | undefined;
  /** Values that the call recorded with `ToolContext.step`, by name. Absent for none. */
  readonly steps?: { readonly [name: string]: Json } | undefined;
}

/** All calls of a log, oldest first; with a `runId`, only the calls of that run. Calls of runs inside calls are not in a log. */
export function recordedCalls(log: readonly Json[], runId?: string): readonly RecordedCall[] {
  const records = new Map<string, RunRecord>();
  for (const value of log) {
    // The next line checks it.
    const entry = value as unknown as SessionEntry;
    const isRead = (checkEntryHeader(value) ?? checkEntryMembers(entry)) === undefined && isKnownType(entry.type);
    if (!isRead || !("runId" in entry)) continue;
    const record = records.get(entry.runId);
    if (entry.type === "run") records.set(entry.runId, beginRecord(entry));
    else if (record !== undefined) addToRecord(record, entry);
  }
  return [...records].flatMap(([id, record]) => ((runId ?? id) === id ? callsOf(id, new PlacedSteps(record)) : []));
}

function callsOf(runId: string, steps: PlacedSteps): readonly RecordedCall[] {
  return steps.turns().flatMap((turn) => {
    const answers = listAttempts(steps, turn).map((attempt) => readAnswer(steps, attempt)?.response);
    const routes = steps.find<readonly CallRoute[]>({ kind: "route", turn })?.value ?? [];
    return numberCalls(turn, answers.at(-1)).map((made, index): RecordedCall => {
      const { callId, call } = made;
      const followed = followCall(steps, { ...made, endedAt: 0 }, routes[index], { cancelled: "" });
      const recorded = steps.inTurn(turn).flatMap(({ place, value }) => {
        // Recorded as a list of one value, which may be `undefined`; a log is JSON.
        const [inner = null] = asList(value) as readonly Json[];
        return place.kind === "inner" && place.callId === callId ? [[place.name, inner] as const] : [];
      });
      return present({
        runId,
        turn,
        callId,
        name: call.name,
        args: call.args ?? {},
        // The response that the model reads for a call that has not ended is not recorded.
        response: "value" in followed ? followed.value.part.functionResponse?.response : undefined,
        route: routes[index]?.do,
        steps: recorded.length === 0 ? undefined : Object.fromEntries(recorded),
      });
    });
  });
}

/** The recorded outcome of a call. */
export interface RecordedOutcome {
  readonly outcome: ToolOutcome;
  /** The call was made more often than in the recording: this is the last outcome again. */
  readonly isRepeated: boolean;
}

/** Outcomes of recorded calls by name and arguments, in order; after the last one, that one again. */
export class RecordedOutcomes {
  readonly #calls: { readonly recorded: RecordedCall; isUsed: boolean }[];
  readonly #match: { readonly [name: string]: ((recorded: unknown, args: unknown) => boolean) | undefined };

  /** @param match - By tool name: decides whether other arguments are the same call. @defaultValue equal JSON, in any order of keys */
  constructor(
    calls: readonly RecordedCall[],
    match: { readonly [name: string]: ((recorded: unknown, args: unknown) => boolean) | undefined } = {},
  ) {
    this.#calls = calls.flatMap((recorded) => (isObject(recorded.response) ? [{ recorded, isUsed: false }] : []));
    this.#match = match;
  }

  /** @returns Undefined for a call that the recording does not have. */
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
 * Calls of a log that read something that has changed since, such as the text of a skill: a sentence each, oldest first. A replay gives
 * calls their recorded outcomes, so this asks the agent's tools that can detect a change: see `Tool.changedSince`.
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
    if (change !== undefined) changes.push(`${callId} (${name}) read something that has changed: ${change}`);
  }
  return changes;
}
