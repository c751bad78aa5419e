import { SessionDamagedError } from "../../errors/run-errors.ts";
import { checkAtLeast, checkOptions, namesIn, type OptionNames } from "../../internal/option-names.ts";
import type { PendingCall } from "../../tool/tool.ts";
import { SessionLog } from "../log/session-log.ts";
import { compareSummaries, type SessionFilter, type SessionStore, type SessionSummary } from "../store/store.ts";
import { type Answers, openQuestions, storeAnswers } from "./session-answers.ts";

/** A call that waits for an answer, and the session that it belongs to. */
export interface WaitingCall extends PendingCall, Pick<SessionSummary, "owner" | "title" | "metadata"> {
  readonly sessionId: string;
  readonly runId: string;
  /** When its run last went on or ended, in milliseconds since the epoch: the question was open by then. */
  readonly askedAt: number;
}

/** Which waiting calls. */
export interface WaitingCallsOptions extends Pick<SessionFilter, "owner" | "prefix" | "metadata"> {
  /** Those that this one may answer, in the tool's words. */
  readonly approvedBy?: string | undefined;
  /** How many sessions that wait or run are looked at for one page. @defaultValue 100 */
  readonly limit?: number | undefined;
  /** Where to go on: `next` of the page before. @defaultValue the beginning */
  readonly after?: string | undefined;
}

/** Some of the calls that wait. */
export interface WaitingCalls {
  readonly calls: readonly WaitingCall[];
  /** For the next page; absent on the last one. A page may be empty and not the last. */
  readonly next?: string | undefined;
  /** Ids of sessions that cannot be read, and that `pollux session check` says more about; absent without any. */
  readonly damaged?: readonly string[] | undefined;
}

const OPTIONS: OptionNames<WaitingCallsOptions> = namesIn("owner prefix metadata approvedBy limit after");

/**
 * What waits for an answer in all sessions of a store, by id of the session: for a program or a page of those who approve. Needs no
 * agent. Sessions whose run is going are looked at, too: it may be busy with other calls.
 */
export async function listPendingCalls(store: SessionStore, options: WaitingCallsOptions = {}): Promise<WaitingCalls> {
  checkOptions("listPendingCalls()", options, OPTIONS);
  const { approvedBy, limit = 100, after, ...filter } = options;
  checkAtLeast("limit", limit, 1);
  const last = after === undefined ? undefined : { id: after, updatedAt: 0 };
  const list = (state: "waiting" | "running"): Promise<readonly SessionSummary[]> =>
    store.list({ ...filter, state, order: "id", limit, ...(last !== undefined && { after: last }) });
  const both = [...(await list("waiting")), ...(await list("running"))];
  // One whose run has just gone on may be in both.
  const all = new Map(both.map((session) => [session.id, session]));
  const sessions = [...all.values()].toSorted(compareSummaries("id")).slice(0, limit);
  const found: WaitingCall[] = [];
  const damaged: string[] = [];
  // One after the other: a log may be long.
  for (const session of sessions) {
    try {
      found.push(...(await readWaiting(store, session)));
    } catch (error) {
      if (!(error instanceof SessionDamagedError)) throw error;
      damaged.push(session.id);
    }
  }
  const calls = found.filter((one) => approvedBy === undefined || one.approvedBy === approvedBy);
  const next = sessions.length < limit ? undefined : sessions.at(-1)?.id;
  return { calls, ...(next !== undefined && { next }), ...(damaged.length > 0 && { damaged }) };
}

async function readWaiting(
  store: SessionStore,
  { id, owner, title, metadata }: SessionSummary,
): Promise<WaitingCall[]> {
  const log = new SessionLog(store, id);
  await log.refresh();
  const { run } = log.view;
  if (run === undefined) return [];
  return openQuestions(run).map((question) => ({
    ...question,
    sessionId: id,
    runId: run.entry.runId,
    owner,
    title,
    metadata,
    askedAt: run.askedAt,
  }));
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
export async function answerCalls(
  store: SessionStore,
  sessionId: string,
  { approvals = {}, outcomes = {}, by }: Answers,
): Promise<void> {
  await storeAnswers(new SessionLog(store, sessionId), { approvals, outcomes, by });
}
