import { isObject } from "../internal/json.ts";
import { waitName } from "../durable/run-log.ts";
import type { Approval, ExternalOutcome, PendingCall, PendingQuestion } from "../tool/approval.ts";
import { jsonSafe } from "../tool/json-safe.ts";
import type { NewEntry } from "./session-log.ts";
import type { RunRecord } from "./session-view.ts";

/** Answers to what a run waits for, by call id. */
export interface ExternalAnswers {
  readonly approvals: { readonly [callId: string]: Approval };
  readonly outcomes: { readonly [callId: string]: ExternalOutcome };
}

/**
 * The entries that record some answers.
 *
 * @throws {TypeError} For an answer nobody waits for; names the calls that do wait.
 */
export function buildAnswerEntries(record: RunRecord, answers: ExternalAnswers): NewEntry[] {
  const pending = record.end?.pending ?? [];
  return (["approvals", "outcomes"] as const).flatMap((kind) =>
    Object.entries(answers[kind]).map(([callId, answer]) => buildEntry(record, find(pending, callId, kind), answer)),
  );
}

function find(pending: readonly PendingCall[], callId: string, kind: "approvals" | "outcomes"): PendingCall {
  const found = pending.find(
    (one) => one.callId === callId && (one.question === "approval") === (kind === "approvals"),
  );
  if (found !== undefined) return found;
  const waiting = pending.map((one) => `${one.callId} (${one.call.name}: ${one.question})`).join(", ");
  throw new TypeError(
    `${kind}: ${callId} does not wait for one; ${waiting === "" ? "nothing does: call resume() without answers" : `what waits: ${waiting}`}`,
  );
}

function buildEntry(
  record: RunRecord,
  { callId, question }: PendingCall,
  answer: Approval | ExternalOutcome,
): NewEntry {
  if (question === "outcome" && isObject(answer) && "notExecuted" in answer) {
    throw new TypeError(`outcomes: ${callId} is an external call, so it needs an output or an error`);
  }
  return {
    type: "answer",
    runId: record.entry.runId,
    step: nextWait(record, callId, question),
    // A function without a result has the output null, here as in a tool.
    value: jsonSafe(isVoid(answer) ? { output: null } : answer).value,
  };
}

/** The wait that has no answer yet: the same may be asked more than once. */
function nextWait({ outcomes }: RunRecord, callId: string, question: PendingQuestion): string {
  let time = 1;
  while (outcomes.has(waitName(callId, question, time))) time++;
  return waitName(callId, question, time);
}

function isVoid(answer: unknown): boolean {
  return isObject(answer) && "output" in answer && answer["output"] === undefined;
}
