import type { PendingQuestion } from "../tool/approval.ts";

/** What came of a call that was carried out elsewhere. `notDone` says that it never happened: it is run now. */
export type OutsideOutcome = { readonly output: unknown } | { readonly error: string } | { readonly notDone: true };

/**
 * Name of the wait for an answer: what `resume` addresses by call id and question.
 *
 * @param time - From 1: how often that is asked. More only when the process died again while the call was run again.
 */
export function waitName(callId: string, question: PendingQuestion, time: number = 1): string {
  return question === "outcome" ? callId : `${callId}/${question}${numbered(time)}`;
}

/** Name of the step that runs a call: at first, or for the nth time after somebody said that it never happened. */
export function runName(callId: string, again: number): string {
  return again === 0 ? callId : `${callId}/again${numbered(again)}`;
}

function numbered(time: number): string {
  return time === 1 ? "" : `.${time}`;
}
