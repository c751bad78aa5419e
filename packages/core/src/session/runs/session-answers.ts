import { type CallRoute, buildCallId, parseStepName, waitName } from "../../durable/run-log.ts";
import { InvalidApprovalError } from "../../errors/run-errors.ts";
import { UnexpectedAnswerError } from "../../errors/session-errors.ts";
import { isObject } from "../../internal/json.ts";
import type { ModelStepValue } from "../../durable/run-log.ts";
import { openCallsIn } from "../../model/history/open-calls.ts";
import { editedArgs } from "../../tool/edited-args.ts";
import { jsonSafe } from "../../tool/function-response.ts";
import type { Approval, ExternalOutcome, PendingCall, PendingQuestion } from "../../tool/tool.ts";
import type { FunctionCall, JsonObject } from "../../wire/types/content.ts";
import type { NewEntry } from "../log/session-log.ts";
import type { RunRecord } from "../log/session-view.ts";

/** Answers to what a run waits for, by call id. */
export interface ExternalAnswers {
  readonly approvals: { readonly [callId: string]: Approval };
  readonly outcomes: { readonly [callId: string]: ExternalOutcome };
}

/** True when there is an answer among them. */
export function hasAnswers({ approvals, outcomes }: ExternalAnswers): boolean {
  return Object.keys(approvals).length + Object.keys(outcomes).length > 0;
}

/**
 * The entries that record some answers.
 *
 * @throws {UnexpectedAnswerError} For a call that waits for no such answer; names those that wait.
 */
export function buildAnswerEntries(sessionId: string, record: RunRecord, answers: ExternalAnswers): NewEntry[] {
  const pending = openQuestions(record);
  return (["approvals", "outcomes"] as const).flatMap((kind) =>
    Object.entries(answers[kind]).map(([callId, answer]) => {
      const question = pending.find(
        (one) => one.callId === callId && (one.question === "approval") === (kind === "approvals"),
      );
      if (question === undefined) throw unexpected(sessionId, callId, kind, pending);
      return buildEntry(record, question, answer);
    }),
  );
}

/**
 * Checks the arguments that approvals give their calls.
 *
 * @param findProblem - What is wrong with the arguments of a call, if anything.
 * @throws {InvalidApprovalError} For arguments that the tool does not accept.
 */
export async function checkEdits(
  record: RunRecord,
  { approvals }: ExternalAnswers,
  findProblem: (call: FunctionCall, args: JsonObject) => Promise<string | undefined>,
): Promise<void> {
  for (const { callId, call } of openQuestions(record)) {
    const approval = Object.hasOwn(approvals, callId) ? approvals[callId] : undefined;
    if (!isObject(approval) || !("args" in approval)) continue;
    const args = editedArgs(approval);
    const problem = args === undefined ? "expected an object" : await findProblem(call, args);
    if (problem !== undefined) throw new InvalidApprovalError(callId, call.name, problem);
  }
}

/**
 * What a run waits for from outside. While it is going these are the questions of its open turn that have no answer yet; it may still be
 * busy with other calls.
 */
export function openQuestions(record: RunRecord): readonly PendingCall[] {
  if (record.end !== undefined) return record.end.pending ?? [];
  const { outcomes } = record;
  return record.order.flatMap((name): readonly PendingCall[] => {
    const step = parseStepName(name);
    const routes = outcomes.get(name);
    if (step.kind !== "route" || routes?.ok !== true) return [];
    const { turn } = step;
    const calls = callsOf(record, turn);
    // Only a route step has such a name.
    return (routes.value as unknown as readonly CallRoute[]).flatMap((route, index): readonly PendingCall[] => {
      const [callId, call] = [buildCallId(turn, index), calls[index]];
      const question = route.do === "ask-approval" ? "approval" : route.do === "ask-outcome" ? "outcome" : undefined;
      if (question === undefined || call === undefined || outcomes.has(waitName(callId, question))) return [];
      const { args } = "args" in route ? route : {};
      return [
        { turn, callId, call: args === undefined ? call : { ...call, args }, question, ...(args && { edited: true }) },
      ];
    });
  });
}

/** The calls that the last answer of a turn made. */
function callsOf({ order, outcomes }: RunRecord, turn: number): readonly FunctionCall[] {
  for (const name of order.toReversed()) {
    const step = parseStepName(name);
    const outcome = outcomes.get(name);
    if (step.kind !== "model" || step.phase !== "work" || step.turn !== turn || outcome?.ok !== true) continue;
    // Only a model step has such a name.
    const { response } = outcome.value as unknown as Partial<ModelStepValue>;
    if (response !== undefined) return openCallsIn([response.content]);
  }
  return [];
}

function unexpected(
  sessionId: string,
  callId: string,
  kind: "approvals" | "outcomes",
  pending: readonly PendingCall[],
): UnexpectedAnswerError {
  const waiting = pending.map((one) => `${one.callId} (${one.call.name}: ${one.question})`).join(", ");
  const what = waiting === "" ? "no call is waiting" : `waiting: ${waiting}`;
  return new UnexpectedAnswerError(sessionId, callId, `${kind}: ${callId} is not waiting for one; ${what}`);
}

function buildEntry(
  record: RunRecord,
  { callId, question }: PendingCall,
  answer: Approval | ExternalOutcome,
): NewEntry {
  if (question === "outcome" && isObject(answer) && "notExecuted" in answer)
    throw new TypeError(`outcomes: ${callId} is an external call, so it needs an output or an error`);
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
