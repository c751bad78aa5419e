import type { FunctionCall } from "../wire/types/content.ts";

/** What a run has to know about a call before it can go on. */
export type PendingQuestion =
  /** May it be run? */
  | "approval"
  /** What came of it? The tool has no `run`: it runs elsewhere. */
  | "outcome"
  /** Did it take effect? The process died while it ran, and its tool must not run twice. */
  | "unknown-outcome";

/** A call that waits for an answer. */
export interface PendingCall {
  readonly turn: number;
  /** Unique in the run, such as `call:3.0`: the key of the answer in `resume`. */
  readonly callId: string;
  readonly call: FunctionCall;
  readonly question: PendingQuestion;
  /** The agents it came through, outermost first, when a run inside a call asks; its turn and `callId` are of that run. */
  readonly path?: readonly string[] | undefined;
}

/** Whether a call may run; a refusal can tell the model why. */
export type Approval = boolean | { readonly deny: string };

/** Asks a person, or a policy, while the run waits. */
export type Approve = (pending: PendingCall, context: { readonly signal: AbortSignal }) => Approval | Promise<Approval>;

/** How a call ended that ran elsewhere. `notExecuted` says that it never happened: it is run now. */
export type ExternalOutcome =
  | { readonly output: unknown }
  | { readonly error: string }
  | { readonly notExecuted: true };
