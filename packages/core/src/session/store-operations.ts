import type { ErasedData, EraseOptions } from "./runs/erase-owner.ts";
import type { WaitingCalls, WaitingCallsOptions } from "./runs/session-answers.ts";
import type { Answers } from "./runs/session-host.ts";
import type { SessionStore } from "./store/store.ts";

/**
 * Lists the calls that wait for an answer in all sessions of a store, by session id: for an approver's program or page. Needs no agent.
 * Includes sessions with a run in progress, which may be busy with other calls.
 */
export async function listPendingCalls(store: SessionStore, options: WaitingCallsOptions = {}): Promise<WaitingCalls> {
  return await (await import("./session-runtime.ts")).listPendingCalls(store, options);
}

/**
 * Stores answers to the waiting calls of a session, as `session.answer()` does, without its agent. Runs nothing: the program that has the
 * agent continues with the answers, at once when the run is still busy. That program checks edited arguments against the tool's schema;
 * arguments that the tool does not let an approval change are refused here.
 *
 * @throws {UnexpectedAnswerError} When an answer has no token of an open question, also for a session that does not exist. Nothing was
 * stored.
 * @throws {InvalidApprovalError} For arguments that may not be edited.
 */
export async function answerCalls(store: SessionStore, sessionId: string, answers: Answers): Promise<void> {
  await (await import("./session-runtime.ts")).answerCalls(store, sessionId, answers);
}

/**
 * Removes all data that is kept for a person: the sessions that they own, with drafts, records and notes, their kept exchanges, and, with
 * `also`, what the application keeps. Runs in progress are stopped first, in any process, and write nothing afterward. May be called
 * again after a failure.
 *
 * Revoke the person's access first: messages that they send meanwhile begin new sessions.
 *
 * @throws {TypeError} Without an owner. Also the signal's reason, and any error of a store or `also`.
 */
export async function eraseOwner(owner: string, options: EraseOptions): Promise<ErasedData> {
  return await (await import("./session-runtime.ts")).eraseOwner(owner, options);
}
