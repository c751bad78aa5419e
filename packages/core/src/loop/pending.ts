import type { FunctionCall } from "../wire/content.ts";

/** What a run wants to know of a call before it can go on. */
export type PendingQuestion =
  /** May it be run? */
  | "approval"
  /** What came of it? The tool has no `run`: somebody outside carries it out. */
  | "outcome"
  /** Did it happen? It had started when the process died, and its tool must not run twice. */
  | "unknown-outcome";

/** A call that waits for an answer from outside. */
export interface PendingCall {
  readonly turn: number;
  /** Unique in the run, such as `call:3.0`: the key of the answer in `resume`. */
  readonly callId: string;
  readonly call: FunctionCall;
  readonly question: PendingQuestion;
}

/** A person's word on a call: run it, or do not and tell the model why. */
export type Approval = boolean | { readonly deny: string };

/** What came of a call that was carried out elsewhere. `notDone` says that it never happened: it is run now. */
export type OutsideOutcome = { readonly output: unknown } | { readonly error: string } | { readonly notDone: true };

/** Asks a person, or a policy, while the run waits. */
export type Approve = (pending: PendingCall, context: { readonly signal: AbortSignal }) => Approval | Promise<Approval>;

/** Name of the wait for an answer: what `resume` addresses by call id and question. */
export function waitName(callId: string, question: PendingQuestion): string {
  return question === "outcome" ? callId : `${callId}/${question}`;
}
