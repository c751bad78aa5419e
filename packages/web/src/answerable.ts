import type { PendingQuestion } from "@pollux/core";
import type { Conversation, Message, ToolCallPart } from "@pollux/core/conversation";

/** What is asked about a call, by its state. */
const QUESTIONS: { readonly [state: string]: PendingQuestion } = {
  "pending-approval": "approval",
  "pending-output": "outcome",
  "pending-outcome": "unknown-outcome",
};

/** The calls of a message that wait for an answer, and what is asked about each. */
export function questionsOf({
  parts,
}: Message): readonly { readonly call: ToolCallPart; readonly question: PendingQuestion }[] {
  return parts.flatMap((call) => {
    const question = call.type === "tool-call" ? QUESTIONS[call.state] : undefined;
    return call.type === "tool-call" && question !== undefined ? [{ call, question }] : [];
  });
}

/** Whether a page offers to answer a call that waits. */
export type IsAnswerable = (call: ToolCallPart) => boolean;

/** The default of a page: what tools leave to the user. Core leaves it to nobody by name whether an interrupted call took effect. */
export const isLeftToUser: IsAnswerable = ({ asks }) => asks?.approvedBy === "user";

/** Names of those whose answers a conversation waits for, besides the user; undefined when it waits for nobody else. */
export function othersAsked({ state, pending }: Conversation): string[] | undefined {
  const others = pending.filter(({ approvedBy }) => approvedBy !== "user");
  if (state !== "waiting" || others.length === 0) return undefined;
  return [...new Set(others.flatMap(({ approvedBy }) => approvedBy ?? []))];
}
