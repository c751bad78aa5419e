import { fingerprint } from "../internal/json.ts";
import type { PendingCall } from "./tool.ts";

/**
 * The token of a question: the key of its answer. It covers the run, the call, what is asked and the arguments that were shown, so an
 * answer that was meant for other ones fits nowhere. The same wherever it is computed. It identifies a question; it proves nothing about
 * who knows it.
 *
 * @param time - Counts the times that the same is asked about the call, from 1.
 */
export function questionToken(
  runId: string,
  { callId, question, call: { name, args = {} } }: Pick<PendingCall, "callId" | "question" | "call">,
  time: number = 1,
): string {
  return fingerprint([runId, callId, question, time, name, args]);
}

/** What a tool said about the answers to a question when it was asked. */
export type AskedOf = Pick<PendingCall, "approvedBy" | "editable">;

/** What a call asks, from what is known of it. */
export function buildPendingCall(
  runId: string,
  { turn, callId, call, question, edited }: Omit<PendingCall, "token" | keyof AskedOf>,
  { approvedBy, editable }: AskedOf = {},
  time: number = 1,
): PendingCall {
  return {
    turn,
    callId,
    call,
    question,
    token: questionToken(runId, { callId, call, question }, time),
    ...(edited === true && { edited }),
    // Whether a call took effect is not for its approvers to say.
    ...(approvedBy !== undefined && question !== "unknown-outcome" && { approvedBy }),
    ...(editable !== undefined && question === "approval" && { editable }),
  };
}
