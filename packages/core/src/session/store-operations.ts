import type { ErasedData, EraseOptions } from "./runs/erase-owner.ts";
import type { WaitingCalls, WaitingCallsOptions } from "./runs/session-answers.ts";
import type { Answers } from "./runs/session-host.ts";
import type { SessionStore } from "./store/store.ts";

/**
 * What waits for an answer in all sessions of a store, by id of the session: for a program or a page of those who approve. Needs no
 * agent. Sessions whose run is going are looked at, too: it may be busy with other calls.
 */
export async function listPendingCalls(store: SessionStore, options: WaitingCallsOptions = {}): Promise<WaitingCalls> {
  return await (await import("./session-runtime.ts")).listPendingCalls(store, options);
}

/**
 * Stores answers to what a session waits for, as `session.answer()` does, without its agent. Runs nothing: the program that has the agent
 * goes on with the answers, at once when the run is still busy. Arguments that an approval changes are checked against the tool's schema
 * there; one that the tool does not let an approval change is refused here.
 *
 * @throws {UnexpectedAnswerError} When an answer has no token of an open question, also for a session that does not exist. Nothing was
 * stored.
 * @throws {InvalidApprovalError} For arguments that may not be edited.
 */
export async function answerCalls(store: SessionStore, sessionId: string, answers: Answers): Promise<void> {
  await (await import("./session-runtime.ts")).answerCalls(store, sessionId, answers);
}

/**
 * Removes all that is kept of a person: the sessions that have them as owner, with drafts, records and the notes beside them, their kept
 * exchanges, and by `also` what the application keeps. Runs that are going are stopped first, in whatever process, and write nothing
 * afterwards. May be called again after a failure.
 *
 * Take the person's access away first: what they send meanwhile begins new sessions.
 *
 * @throws {TypeError} Without an owner. The signal's reason, and whatever a store or `also` throws.
 */
export async function eraseOwner(owner: string, options: EraseOptions): Promise<ErasedData> {
  return await (await import("./session-runtime.ts")).eraseOwner(owner, options);
}
