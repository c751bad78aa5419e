import { HttpError } from "@pollux/core/serving";
import { type ErasedData, eraseOwner, type EraseOptions, type Session, UnexpectedAnswerError } from "@pollux/core";
import { applyUpdate, readConversation, watchConversation } from "@pollux/core/conversation";
import { BadRequestError } from "../chat-protocol.ts";
import { isRecord } from "../json.ts";
import { checkRights } from "./answer-rights.ts";
import { answersByToken, withdrawals } from "./answers.ts";
import type { Visitor } from "./authorize.ts";
import { findChat, ownerPrefix, sessionId } from "./chats.ts";
import { noSuchChat, replyJson, replyLongJson } from "./replies.ts";
import type { ChatCall, Serving } from "./serving.ts";
import { deletedPrefix } from "./spending.ts";
import { startRun } from "./start-run.ts";

/** A conversation as the client shows it. */
export async function sendMessages<Context>(
  serving: Serving<Context>,
  chat: string,
  { request: { signal }, visitor }: ChatCall<Context>,
): Promise<Response> {
  const { protocol, stallTimeoutMs } = serving.options;
  const { session, release } = serving.openToRead(chat, visitor);
  // All who read it until it is sent share one conversation.
  const updates = watchConversation(session);
  const onClose = (): void => {
    void updates.return?.();
    release();
  };
  try {
    const { value } = await updates.next();
    const { title, state, ...stored } = serving.pages.of(session.id).show(applyUpdate(undefined, value));
    const messages = protocol.messages({ ...stored, title, state, id: chat });
    return replyLongJson({ id: chat, title, state, messages }, { signal, stallTimeoutMs, onClose });
  } catch (error) {
    onClose();
    throw error;
  }
}

/**
 * Stops a run, in any process, and waits until it has ended.
 *
 * @returns False when none was going.
 * @throws {HttpError} When it takes too long; the run was asked to stop all the same.
 */
export async function stopRun<Context>(
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
 * @throws {HttpError} When it was deleted meanwhile: renaming creates nothing.
 */
export async function renameChat<Context>(
  serving: Serving<Context>,
  chat: string,
  visitor: Visitor<Context>,
  title: string | null,
): Promise<void> {
  await serving.with(chat, visitor, async (session) => {
    // It is loaded now: if it is deleted after this, the write fails.
    await session.state();
    if ((await findChat(serving.options.store, visitor.owner, chat)) === undefined) throw noSuchChat();
    await session.describe({ title });
  });
}

/**
 * Withdraws the questions of a conversation, or one of them. The run continues without answers; `onDisconnect` limits
 * how long it may run without a reader.
 *
 * @param body - `{ token?, reason? }`; absent: all questions, without a reason.
 */
export async function withdrawCalls<Context>(
  serving: Serving<Context>,
  chat: string,
  call: ChatCall<Context>,
  body: unknown = {},
): Promise<Response> {
  const { token, reason = "" } = isRecord(body) ? body : { token: null };
  if (!(token === undefined || typeof token === "string") || typeof reason !== "string")
    throw new BadRequestError("send { token, reason }, both texts, or no body");
  const open = serving.open(chat, call.visitor);
  try {
    serving.draining.check();
    const { pending } = await readConversation(open.session);
    const taken = withdrawals(pending, reason).filter(({ question }) => (token ?? question.token) === question.token);
    if (taken.length === 0) return replyJson({ withdrawn: false });
    const refusal = await checkRights(serving.options.authorizeAnswer, call, taken);
    if (refusal !== undefined) return refusal;
    await open.session.answer({ ...answersByToken(taken), by: call.visitor.owner });
    // A withdrawal stands even if the run may not continue now, such as without a budget: it continues with the next
    // message.
    try {
      await startRun(serving, open, call, {});
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
    }
    return replyJson({ withdrawn: true });
  } finally {
    open.release();
  }
}

/**
 * Deletes a conversation. Questions are withdrawn first, so that no one answers them during the deletion. An active run
 * is stopped, so that its cost is known.
 */
export async function deleteChat<Context>(
  serving: Serving<Context>,
  chat: string,
  visitor: Visitor<Context>,
): Promise<void> {
  const id = sessionId(visitor.owner, chat);
  do await stopRun(serving, chat, visitor);
  while (!(await serving.with(chat, visitor, (session) => withdrawAll(session, visitor.owner))));
  if (serving.spending !== undefined) {
    const { cost = 0 } = (await findChat(serving.options.store, visitor.owner, chat)) ?? {};
    await serving.spending.keep(visitor.owner, cost);
  }
  await serving.options.store.delete(id);
  await serving.readers.forget(id);
  serving.sessions.forget(id);
}

/** @returns False when someone has answered at the same time: then the run may continue. */
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

/** Removes everything that is kept about an owner. */
export async function eraseChats<Context>(
  serving: Serving<Context>,
  owner: string,
  options: Omit<EraseOptions, "store">,
): Promise<ErasedData> {
  const { store } = serving.options;
  // Including runs that wait for their turn.
  const runs = serving.sessions.runsOf(owner);
  for (const run of runs) run.abort();
  await Promise.all(runs.map((run) => run.over));
  const stopped = runs.filter(({ failure }) => failure !== undefined).length;
  const deletedConversations = await store.deleteSessions({ owner, prefix: deletedPrefix(owner) });
  const also: EraseOptions["also"] = async (...erasing) => {
    await Promise.all(erasing[1].map((id) => serving.readers.forget(id)));
    return await options.also?.(...erasing);
  };
  const erased = await eraseOwner(owner, { ...options, also, store });
  serving.sessions.forgetAll(ownerPrefix(owner));
  return { ...erased, deletedConversations, stoppedRuns: erased.stoppedRuns + stopped };
}
