import { readConversation, type Session, UnexpectedAnswerError } from "@pollux/core";
import { answersByToken, withdrawals } from "./answers.ts";
import type { Visitor } from "./authorize.ts";
import { findChat, sessionId } from "./chats.ts";
import { HttpError, noSuchChat } from "./http-error.ts";
import type { Serving } from "./serving.ts";

/** A conversation as the client shows it. */
export async function readChat<Context>(
  serving: Serving<Context>,
  chat: string,
  visitor: Visitor<Context>,
): Promise<object> {
  const stored = await serving.with(chat, visitor, (session) => readConversation(session));
  const conversation = { ...stored, id: chat };
  const { id, title, state } = conversation;
  return { id, title, state, messages: serving.options.protocol.messages(conversation) };
}

/**
 * Stops a run, in whatever process it is, and waits until it has ended.
 *
 * @returns False when none was going.
 * @throws {HttpError} When it takes too long; the run was asked to stop all the same.
 */
export async function stopChat<Context>(
  serving: Serving<Context>,
  chat: string,
  visitor: Visitor<Context>,
  signal?: AbortSignal,
): Promise<boolean> {
  const limit = AbortSignal.timeout(serving.options.stopTimeoutMs ?? 20_000);
  const signals = signal === undefined ? limit : AbortSignal.any([signal, limit]);
  try {
    return await serving.with(chat, visitor, (session) => session.stop({ signal: signals }));
  } catch (error) {
    if (!limit.aborted) throw error;
    throw new HttpError(504, "not_stopped", "The run was asked to stop and has not ended yet.");
  }
}

/**
 * @param title - Null for the first words of the conversation.
 * @throws {HttpError} When it was deleted meanwhile: a name does not begin another.
 */
export async function renameChat<Context>(
  serving: Serving<Context>,
  chat: string,
  visitor: Visitor<Context>,
  title: string | null,
): Promise<void> {
  await serving.with(chat, visitor, async (session) => {
    // What is deleted after this has changed when it is written to.
    await session.state();
    if ((await findChat(serving.options.store, visitor.owner, chat)) === undefined) throw noSuchChat();
    await session.describe({ title });
  });
}

/**
 * Deletes a conversation. What waits for an answer is withdrawn first, so that nobody answers what is being deleted. A run that is going is
 * stopped: then it is known what it has cost.
 */
export async function deleteChat<Context>(
  serving: Serving<Context>,
  chat: string,
  visitor: Visitor<Context>,
): Promise<void> {
  const id = sessionId(visitor.owner, chat);
  do await stopChat(serving, chat, visitor);
  while (!(await serving.with(chat, visitor, (session) => withdrawAll(session, visitor.owner))));
  if (serving.spending !== undefined) {
    const { cost = 0 } = (await findChat(serving.options.store, visitor.owner, chat)) ?? {};
    await serving.spending.keep(visitor.owner, cost);
  }
  await serving.options.store.delete(id);
  serving.sessions.forget(id);
}

/** @returns False when somebody has answered at the same time: then the run may go on. */
async function withdrawAll<Context>(session: Session<Context>, by: string): Promise<boolean> {
  const { pending } = await readConversation(session);
  const withdrawn = withdrawals(pending);
  try {
    if (withdrawn.length > 0) await session.answer({ ...answersByToken(withdrawn), by });
    return true;
  } catch (error) {
    if (error instanceof UnexpectedAnswerError) return false;
    throw error;
  }
}
