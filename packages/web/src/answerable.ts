import type { PendingQuestion } from "@pollux/core";
import type { Conversation, Message, ToolCallPart } from "@pollux/core/conversation";

/** What a call waits for, by its state. */
const QUESTIONS: { readonly [state: string]: PendingQuestion } = {
  "pending-approval": "approval",
  "pending-output": "outcome",
  "pending-outcome": "unknown-outcome",
  "pending-job": "job",
};

/** The calls of a message that wait for an answer or a job, and the question about each. */
export function questionsOf({
  parts,
}: Message): readonly { readonly call: ToolCallPart; readonly question: PendingQuestion }[] {
  return parts.flatMap((call) => {
    const question = call.type === "tool-call" ? QUESTIONS[call.state] : undefined;
    return call.type === "tool-call" && question !== undefined ? [{ call, question }] : [];
  });
}

/** The state of the job that a call waits for. */
export function jobOf({ job, progress }: ToolCallPart): Pick<ToolCallPart, "job" | "progress"> | undefined {
  return job && { job, ...(progress !== undefined && { progress }) };
}

/** Whether a page offers to answer a call that waits. */
export type IsAnswerable = (call: ToolCallPart) => boolean;

/** The default of a page: calls that their tools leave to the user. That never includes whether an interrupted call took effect. */
export const isLeftToUser: IsAnswerable = ({ asks }) => asks?.approvedBy === "user";

/** Who must answer besides the user, by the names in `approvedBy`; undefined when nobody else must. Jobs don't count. */
export function othersAsked({ state, pending }: Conversation): string[] | undefined {
  const others = pending.filter(({ approvedBy, question }) => approvedBy !== "user" && question !== "job");
  if (state !== "waiting" || others.length === 0) return undefined;
  return [...new Set(others.flatMap(({ approvedBy }) => approvedBy ?? []))];
}
