import type { Message } from "@pollux/core";
import { toolCallIdOf } from "../call-ids.ts";
import type { UIMessageMetadata, UIPendingCall } from "./ui-message.ts";

const QUESTIONS: { readonly [state: string]: UIPendingCall["question"] } = {
  "pending-approval": "approval",
  "pending-output": "outcome",
  "pending-outcome": "unknown-outcome",
};

/** What is known of a message of the assistant besides its parts. */
export function messageMetadata(message: Message): UIMessageMetadata {
  const { id, runId, at, state, stopReason, limit, error, usage, cost, parts } = message;
  const pending = parts.flatMap((part) => {
    const question = part.type === "tool-call" ? QUESTIONS[part.state] : undefined;
    return question === undefined ? [] : [{ toolCallId: toolCallIdOf(id, part.id), question }];
  });
  return {
    ...(runId !== undefined && { runId }),
    ...(at !== undefined && { createdAt: at }),
    state,
    pending,
    ...(stopReason !== undefined && { stopReason }),
    ...(limit !== undefined && { limit }),
    ...(error !== undefined && { error }),
    ...(usage !== undefined && { usage }),
    ...(cost !== undefined && { cost }),
  };
}
