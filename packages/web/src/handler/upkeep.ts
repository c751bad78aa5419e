import { readConversation } from "@pollux/core";
import type { Visitor } from "./authorize.ts";
import { sessionId } from "./chats.ts";
import { HttpError } from "./http-error.ts";
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

/** @param title - Null for the first words of the conversation. */
export async function renameChat<Context>(
  serving: Serving<Context>,
  chat: string,
  visitor: Visitor<Context>,
  title: string | null,
): Promise<void> {
  await serving.with(chat, visitor, (session) => session.describe({ title }));
}

/** Deletes a conversation. A run that is going is stopped first: then it is known what it has cost. */
export async function deleteChat<Context>(
  serving: Serving<Context>,
  chat: string,
  visitor: Visitor<Context>,
): Promise<void> {
  const id = sessionId(visitor.owner, chat);
  await stopChat(serving, chat, visitor);
  if (serving.spending !== undefined) {
    const { cost } = await serving.with(chat, visitor, (session) => session.state());
    await serving.spending.keep(visitor.owner, cost);
  }
  await serving.options.store.delete(id);
  serving.sessions.forget(id);
}
