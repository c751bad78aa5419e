import { HttpError } from "@pollux/core/serving";
import type { Answers, Approval, ExternalOutcome } from "@pollux/core";
import type { Conversation, Message, PendingQuestionView, ToolCallPart } from "@pollux/core/conversation";
import type { ChatAnswer } from "../chat-protocol.ts";
import { isSame } from "../json.ts";

/** An answer, and the question that it belongs to. */
export interface TakenAnswer {
  readonly question: PendingQuestionView;
  readonly answer: NonNullable<ChatAnswer["approval"] | ChatAnswer["outcome"]>;
}

/** A client's answers, matched with the conversation as it is now. */
export interface TakenAnswers {
  /** The message with the calls. */
  readonly messageId: string;
  /** To calls that wait. One that was given before is no error: the client may have sent it twice. */
  readonly answers: readonly TakenAnswer[];
}

/**
 * The answers to calls that wait for them.
 *
 * @returns Undefined when they belong to no call of the last message.
 * @throws {HttpError} For an answer to a call that no longer asks what the client has shown.
 */
export function takeAnswers(conversation: Conversation, answers: readonly ChatAnswer[]): TakenAnswers | undefined {
  const last = conversation.messages.findLast(({ role }) => role === "model");
  const calls = last?.parts.filter((part) => part.type === "tool-call") ?? [];
  const found = answers.flatMap((answer) => {
    const call = calls.find(({ id }) => id === answer.callId && (answer.messageId ?? last?.id) === last?.id);
    return call === undefined ? [] : [{ answer, call }];
  });
  if (last === undefined || found.length === 0) return undefined;
  const taken = found.flatMap(({ answer, call }): readonly TakenAnswer[] => {
    const question = conversation.pending.find(({ callId }) => callId === call.id);
    if (question === undefined) return [];
    const given = question.question === "approval" ? answer.approval : answer.outcome;
    const isShown = answer.token === undefined ? isSame(answer.input, question.args) : answer.token === question.token;
    if (given === undefined || !isShown)
      throw new HttpError(409, "answered", "The call asks something else. Load the conversation again.");
    return [{ question, answer: given }];
  });
  return { messageId: last.id, answers: taken };
}

/** Answers as a session takes them. */
export function answersByToken(given: readonly TakenAnswer[]): Answers {
  const approvals: { [token: string]: Approval } = {};
  const outcomes: { [token: string]: ExternalOutcome } = {};
  for (const { question, answer } of given) {
    // An answer is of the kind that its question asks for.
    if (question.question === "approval") approvals[question.token] = answer as Approval;
    else outcomes[question.token] = answer as ExternalOutcome;
  }
  return { approvals, outcomes };
}

/** Withdraws waiting calls, except calls that may have taken effect. @param reason - For the model. */
export function withdrawals(pending: readonly PendingQuestionView[], reason: string = ""): readonly TakenAnswer[] {
  const answer = { withdrawn: reason === "" ? true : reason } as const;
  return pending.flatMap((question) => (question.question === "unknown-outcome" ? [] : [{ question, answer }]));
}

/** A message as a client had it when it answered these calls: they waited, and nothing came after their turn. */
export function messageWhenAnswered(message: Message, answers: readonly ChatAnswer[]): Message {
  if (message.state === "waiting") return message;
  const answerTo = new Map(answers.map((answer) => [answer.callId, answer]));
  const lastCall = message.parts.findLastIndex(({ type, id }) => type === "tool-call" && answerTo.has(id));
  const nextTurn = message.parts.findIndex(({ type }, index) => index > lastCall && type === "turn");
  const parts = message.parts.slice(0, nextTurn < 0 ? undefined : nextTurn).map((part) => {
    const answer = answerTo.get(part.id);
    if (part.type !== "tool-call" || answer === undefined) return part;
    const { id, type, name, args, edited } = part;
    const state = answer.outcome === undefined ? "pending-approval" : "pending-output";
    // A page answers only questions that it was offered.
    const asks = { token: answer.token ?? "", approvedBy: "user" };
    return { id, type, name, args, state, asks, ...(edited === true && { edited }) } satisfies ToolCallPart;
  });
  return { ...message, state: "waiting", parts };
}
