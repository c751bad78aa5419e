import type { EndReason } from "@pollux/core";
import type { SessionState } from "./inspection.ts";

/** How a run ended, or how it stands; also a reason of a newer release. */
export type Ending = EndReason | "running" | "waiting" | "cut-off";

/** Which sessions: by state, by how the last run ended, or all whose last run went wrong. */
export type EndingFilter = SessionState | Ending | "problem";

const IS_BAD: { readonly [ending in Ending]: boolean } = {
  finished: false,
  stopped: false,
  running: false,
  waiting: false,
  "needs-approval": false,
  "needs-outcome": false,
  "cut-off": true,
  failed: true,
  aborted: true,
  damaged: true,
  limit: true,
  guardrail: true,
  blocked: true,
  truncated: true,
  "repeated-calls": true,
  empty: true,
  "bad-call": true,
  "invalid-output": true,
  "unknown-finish": true,
};

export function isEnding(text: string): text is Ending {
  return Object.hasOwn(IS_BAD, text);
}

/** True for a run that went wrong, or was ended before it was done; also for an ending that this release does not know. */
export function isBadEnding(ending: string): boolean {
  return !isEnding(ending) || IS_BAD[ending];
}

/** How a session stands by its state alone, as an older release wrote it. */
export function endingOf(state: SessionState, ending: string | undefined): string | undefined {
  if (state === "running" || state === "waiting" || state === "cut-off") return state;
  return ending ?? (state === "stopped" ? "ended early" : undefined);
}

/** True for a session that a filter finds. */
export function isOfEnding(
  { state, ending }: { readonly state: SessionState; readonly ending?: string | undefined },
  filter: EndingFilter,
): boolean {
  const isBad = ending !== undefined && isBadEnding(ending);
  if (filter === "problem") return isBad;
  return filter === ending || (filter === state && !(filter === "done" && isBad));
}
