import type { EndReason } from "@pollux/core";
import type { SessionState } from "./inspection.ts";

/** How a run ended, or the state of one that has not; newer releases may have further reasons. */
export type Ending = EndReason | "running" | "waiting" | "cut-off";

/** Selects sessions by state, by how the last run ended, or all whose last run went wrong. */
export type EndingFilter = SessionState | Ending | "problem";

/** The title, tone and meaning of an ending. */
export type EndingView = readonly [title: string, tone: "note" | "odd" | "ok" | "bad", means: string];

/** In the order in which a list offers them. */
export const ENDINGS: { readonly [ending in Ending]: EndingView } = {
  running: ["Running", "note", "A run is active."],
  waiting: ["Waiting", "odd", "Calls wait for an answer or a job."],
  "cut-off": ["Cut off", "bad", "The process of the run has died."],
  finished: ["Done", "ok", "The model answered, and nothing is left to do."],
  stopped: ["Done", "ok", "A stop rule of the agent ended the run."],
  failed: ["Failed", "bad", "An error ended the run."],
  aborted: ["Aborted", "bad", "The run was stopped."],
  limit: ["Limit", "bad", "The run reached one of its limits."],
  guardrail: ["Guardrail", "bad", "A guardrail stopped the run."],
  blocked: ["Blocked", "bad", "The service blocked the answer."],
  truncated: ["Truncated", "bad", "The answer hit the output token limit."],
  "repeated-calls": ["Repeated", "bad", "The model repeated the same calls and got the same results."],
  empty: ["Empty", "bad", "The answer was empty, after all retries."],
  "bad-call": ["Bad call", "bad", "The model's calls could not be read, after all retries."],
  "invalid-output": ["Invalid", "bad", "The output does not match its schema, after all retries."],
  "unknown-finish": ["Unknown", "bad", "The model stopped for a reason this version does not know."],
  damaged: ["Damaged", "bad", "Entries of the run are lost, so it cannot be resumed."],
  "needs-approval": ["Approval", "odd", "The run ended with calls that needed an approval."],
  "needs-outcome": ["Outcome", "odd", "The run ended with calls that needed an outcome."],
};

export function isEnding(text: string): text is Ending {
  return Object.hasOwn(ENDINGS, text);
}

/** Works for endings that this release does not know, too. */
export function endingView(ending: string): EndingView {
  return isEnding(ending) ? ENDINGS[ending] : [ending, "bad", `The run ended with ${ending}.`];
}

/** True for a run that went wrong or ended early, and for an ending that this release does not know. */
export function isBadEnding(ending: string): boolean {
  return endingView(ending)[1] === "bad";
}

/** The ending of a session that an older release wrote with a state alone. */
export function endingOf(state: SessionState, ending: string | undefined): string | undefined {
  if (state === "running" || state === "waiting" || state === "cut-off") return state;
  return ending ?? (state === "stopped" ? "ended early" : undefined);
}

/** True for a session that matches a filter. */
export function isOfEnding(
  { state, ending }: { readonly state: SessionState; readonly ending?: string | undefined },
  filter: EndingFilter,
): boolean {
  const isBad = ending !== undefined && isBadEnding(ending);
  if (filter === "problem") return isBad;
  return filter === ending || (filter === state && !(filter === "done" && isBad));
}
