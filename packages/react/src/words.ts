import type { AnyCall, AnyChatMessage, Metadata, PendingCall } from "./chat-message.ts";
import { type ChatSummary, ChatServerError, errorFrom } from "./chat-server.ts";

/** What went wrong with a request of the page, for a person. */
export function describeProblem(error: unknown): string {
  if (error instanceof TypeError) return "The server can’t be reached. Check your connection.";
  const { message } = errorFrom(error);
  const waitMs = error instanceof ChatServerError ? error.retryAfterMs : undefined;
  return waitMs === undefined ? message : `${message} Try again in ${durationOf(waitMs)}.`;
}

/** That the model's service is busy, and when it is asked again. */
export function describeWait(ms: number): string {
  return `The service is busy. Trying again in ${ms < 60_000 ? `${Math.max(1, Math.ceil(ms / 1000))} s` : durationOf(ms)}.`;
}

const UNITS = [
  [86_400_000, "day"],
  [3_600_000, "hour"],
  [60_000, "minute"],
  [1000, "second"],
] as const;

/** A time in the unit that a person would use, as `5 minutes` or `5 min`. */
export function durationOf(ms: number, unitDisplay: "long" | "short" = "long"): string {
  const [length, unit] = UNITS.find(([least]) => ms >= least) ?? [1000, "second"];
  const count = Math.max(1, Math.round(ms / length));
  return count.toLocaleString("en", { style: "unit", unit, unitDisplay });
}

/** Texts for endings that the model caused. */
const ENDINGS: { readonly [stopReason: string]: string } = {
  blocked: "The model’s safety filter ended this answer.",
  truncated: "The answer is cut off: it reached the model’s length limit.",
  empty: "The model said nothing.",
  "bad-call": "The model called a tool in a way that can’t be read.",
  "invalid-output": "The answer does not have the expected form.",
  "unknown-finish": "The model ended this answer for an unknown reason.",
  "repeated-calls": "The model went around in circles and was stopped.",
};

/** Why an answer is incomplete; undefined when it is complete. */
export function describeEnding({ metadata }: AnyChatMessage): string | undefined {
  const { state = "complete", stopReason = "", guardrail, error } = metadata ?? {};
  if (isAnswered(metadata)) return "This answer is ready to continue.";
  if (state === "interrupted") return "The server stopped in the middle of this answer.";
  if (state !== "stopped" && state !== "failed") return undefined;
  if (stopReason === "guardrail") return guardrail?.message ?? "This is not allowed here.";
  if (stopReason === "limit") return describeLimit(metadata ?? {});
  if (state === "stopped") return "Stopped.";
  return ENDINGS[stopReason] ?? error?.message ?? "The answer failed.";
}

function describeLimit({ limit = "", limitScope }: Metadata): string {
  if (limitScope === "owner") return "Your spending limit is used up.";
  return `${limitScope === "session" ? "This conversation" : "The answer"} reached its limit of ${LIMITS[limit] ?? /tokens|time/i.exec(limit)?.[0].toLowerCase() ?? limit}.`;
}

const LIMITS: { readonly [limit: string]: string } = {
  turns: "steps",
  toolCalls: "tool calls",
};

/** The state of a conversation, in a word or two for a list; undefined when there is nothing to add. */
export function describeChat({
  state,
  ending,
  waitsFor,
}: Pick<ChatSummary, "state" | "ending" | "waitsFor">): ChatStanding | undefined {
  if (state === "waiting" && waitsFor === "job") return { kind: "busy", text: "Working" };
  if (state === "running") return { kind: "busy", text: "Answering" };
  if (state === "waiting") return { kind: "asked", text: "Needs you" };
  if (state === "cut-off") return { kind: "failed", text: "Interrupted" };
  const known = STANDINGS[ending ?? ""];
  if (known !== undefined) return known;
  if (ending === undefined) return state === "stopped" ? QUIET_STOP : undefined;
  return ["finished", "stopped"].includes(ending) ? undefined : { kind: "failed", text: "Failed" };
}

/** See {@link describeChat}. */
export interface ChatStanding {
  readonly kind: "busy" | "asked" | "failed" | "quiet";
  readonly text: string;
}

const QUIET_STOP: ChatStanding = { kind: "quiet", text: "Stopped" };

/** Endings in a list; with any other, the run failed. */
const STANDINGS: { readonly [ending: string]: ChatStanding } = {
  aborted: QUIET_STOP,
  limit: { kind: "quiet", text: "Limit reached" },
  guardrail: { kind: "quiet", text: "Not allowed" },
  blocked: { kind: "failed", text: "Blocked" },
  truncated: { kind: "failed", text: "Cut off" },
  empty: { kind: "failed", text: "No answer" },
};

/** True for a run that the server can resume where it ended. */
export function isResumable({ metadata }: AnyChatMessage): boolean {
  const { state, stopReason = "", limit, limitScope } = metadata ?? {};
  // The time of a run can't be extended, nor can the limits of a conversation.
  const isUsedUp = limit === "wallTimeMs" || limitScope === "session";
  return (
    state === "interrupted" ||
    isAnswered(metadata) ||
    (["failed", "aborted", "limit"].includes(stopReason) && !isUsedUp)
  );
}

/** Everything that it waited for is there or was withdrawn, and the run has not continued yet. */
function isAnswered({ state, pending }: Metadata = {}): boolean {
  return state === "waiting" && pending?.length === 0;
}

/** The state of a call, for a person. */
export interface CallStatus {
  readonly kind: "busy" | "done" | "failed" | "asked" | "quiet";
  readonly text: string;
  readonly isBusy: boolean;
}

/**
 * @param asked - What the call waits for, if it waits.
 * @param isOpen - Whether its answer is being written.
 * @param now - The time, for how long a job has been going, in milliseconds since the epoch.
 */
export function describeCall(call: AnyCall, asked: PendingCall | undefined, isOpen: boolean, now: number): CallStatus {
  const busy = (text: string, isBusy = isOpen): CallStatus => ({ kind: "busy", text, isBusy });
  const over = (kind: CallStatus["kind"], text: string): CallStatus => ({ kind, text, isBusy: false });
  const isPreliminary = "preliminary" in call && call.preliminary;
  if (asked?.job !== undefined) return busy(`Running for ${durationOf(now - asked.job.since, "short")}`, false);
  switch (call.state) {
    case "input-streaming":
      return busy(isOpen ? "Preparing" : "Not run");
    case "approval-requested":
      return over("asked", "Needs your approval");
    case "approval-responded":
      return busy(call.approval.approved ? "Approved" : "Denied");
    case "output-available":
      return isPreliminary ? busy(isOpen ? "Running" : "Not finished") : over("done", "Done");
    case "output-error": {
      const failure = call.resultProviderMetadata?.pollux.failure ?? "";
      if (failure === "withdrawn") return over("quiet", "Withdrawn");
      return ["cancelled", "not-run"].includes(failure) ? over("quiet", "Not run") : over("failed", "Failed");
    }
    case "output-denied":
      return over("quiet", "Denied");
    default:
      if (asked !== undefined)
        return over("asked", asked.approvedBy === undefined ? "Waiting" : `Waiting for ${asked.approvedBy}`);
      return busy(isOpen ? "Running" : "Not run");
  }
}
