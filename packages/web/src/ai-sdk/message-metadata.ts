import type { Message } from "@pollux/core/conversation";
import { QUESTIONS } from "../answerable.ts";
import { toolCallIdOf } from "../call-ids.ts";
import type { UIMessageMetadata } from "./ui-message.ts";

/** What is known of a message of the assistant besides its parts. */
export function messageMetadata(message: Message): UIMessageMetadata {
  const {
    id,
    runId,
    at,
    agent,
    state,
    stopReason,
    limit,
    limitScope,
    guardrail,
    error,
    usage,
    cost,
    pricesAsOf,
    parts,
  } = message;
  const pending = parts.flatMap((part) => {
    const question = part.type === "tool-call" ? QUESTIONS[part.state] : undefined;
    if (part.type !== "tool-call" || question === undefined) return [];
    return [{ toolCallId: toolCallIdOf(id, part.id), question, token: "", ...part.asks }];
  });
  return {
    ...(runId !== undefined && { runId }),
    ...(at !== undefined && { createdAt: at }),
    ...(agent !== undefined && { agent }),
    state,
    pending,
    ...(stopReason !== undefined && { stopReason }),
    ...(limit !== undefined && { limit }),
    ...(limitScope !== undefined && { limitScope }),
    ...(guardrail !== undefined && { guardrail }),
    ...(error !== undefined && { error }),
    ...(usage !== undefined && { usage }),
    ...(cost !== undefined && { cost }),
    ...(pricesAsOf !== undefined && { pricesAsOf }),
  };
}
