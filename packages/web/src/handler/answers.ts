import type { Answers, Conversation, Message, ToolCallPart } from "@pollux/core";
import type { ChatAnswer } from "../chat-protocol.ts";

/** What a client's answers come to in the conversation as it is. */
export interface TakenAnswers extends Answers {
  /** The message with the calls. */
  readonly messageId: string;
  /** Some call still waits for its answer. */
  readonly isNew: boolean;
}

/**
 * The answers to calls that wait for them. One that was given before is no error: the client may have sent it twice.
 *
 * @returns Undefined when they belong to no call of the last message.
 */
export function takeAnswers(conversation: Conversation, answers: readonly ChatAnswer[]): TakenAnswers | undefined {
  const last = conversation.messages.findLast(({ role }) => role === "assistant");
  if (last === undefined) return undefined;
  const calls = new Set(last.parts.flatMap(({ type, id }) => (type === "tool-call" ? [id] : [])));
  const own = answers.filter(({ messageId, callId }) => (messageId ?? last.id) === last.id && calls.has(callId));
  if (own.length === 0) return undefined;
  const approvals: { [callId: string]: NonNullable<ChatAnswer["approval"]> } = {};
  const outcomes: { [callId: string]: NonNullable<ChatAnswer["outcome"]> } = {};
  const questions = new Map(conversation.pending.map(({ callId, question }) => [callId, question]));
  for (const { callId, approval, outcome } of own) {
    const question = questions.get(callId);
    if (question === undefined) continue;
    if (question === "approval") {
      if (approval !== undefined) approvals[callId] = approval;
    } else if (outcome !== undefined) outcomes[callId] = outcome;
  }
  const isNew = Object.keys(approvals).length + Object.keys(outcomes).length > 0;
  return { messageId: last.id, approvals, outcomes, isNew };
}

/** A message as a client had it when it answered these calls: they waited, and nothing came after their turn. */
export function messageWhenAnswered(message: Message, answers: readonly ChatAnswer[]): Message {
  if (message.state === "waiting") return message;
  const answerTo = new Map(answers.map((answer) => [answer.callId, answer]));
  const lastCall = message.parts.findLastIndex(({ type, id }) => type === "tool-call" && answerTo.has(id));
  const nextTurn = message.parts.findIndex(({ type }, index) => index > lastCall && type === "step");
  const parts = message.parts.slice(0, nextTurn < 0 ? undefined : nextTurn).map((part) => {
    const answer = answerTo.get(part.id);
    if (part.type !== "tool-call" || answer === undefined) return part;
    const state = answer.outcome === undefined ? "pending-approval" : "pending-output";
    const { id, type, name, args, edited } = part;
    return { id, type, name, args, state, ...(edited === true && { edited }) } satisfies ToolCallPart;
  });
  return { ...message, state: "waiting", parts };
}
