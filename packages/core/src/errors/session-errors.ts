import { AgentError, SessionError } from "./agent-error.ts";

/** The session has a run in progress. Nothing was stored or started: wait for the run, steer it, stop it, or set `whileRunning`. */
export class SessionRunningError extends SessionError {
  static override readonly name = "SessionRunningError";
  override readonly code = "session_running";
  override readonly retryable = true;
  readonly runId: string;

  constructor(sessionId: string, runId: string) {
    super(
      sessionId,
      `session "${sessionId}" is running (run ${runId}). Wait for it, steer() or stop() it, ` +
        'or send with { whileRunning: "steer" | "wait" | "replace" }',
    );
    this.runId = runId;
  }
}

/** Another process took the session over: the lease was not renewed in time. Nothing was written after that; the other process owns the run. */
export class SessionLeaseLostError extends SessionError {
  static override readonly name = "SessionLeaseLostError";
  override readonly code = "session_lease_lost";
  /** The token under which this process held the lease; absent when it held none. */
  readonly token: number | undefined;

  constructor(sessionId: string, token: number | undefined) {
    super(
      sessionId,
      `session "${sessionId}" was taken over by another process${token === undefined ? "" : ` (lease ${token} is no longer held)`}. ` +
        "Nothing was written; the run continues there",
    );
    this.token = token;
  }
}

/** `resume()` was called on a session whose last run is over, or that has no run. */
export class NothingToResumeError extends SessionError {
  static override readonly name = "NothingToResumeError";
  override readonly code = "nothing_to_resume";

  constructor(sessionId: string, why: string) {
    super(
      sessionId,
      `session "${sessionId}": ${why}; there is nothing to resume. Send a message, or use continue(), which works in any state`,
    );
  }
}

/** The session already has a run with this id. Nothing was stored: a second one would repeat its idempotency keys. */
export class RunIdTakenError extends SessionError {
  static override readonly name = "RunIdTakenError";
  override readonly code = "run_id_taken";
  readonly runId: string;

  constructor(sessionId: string, runId: string) {
    super(
      sessionId,
      `session "${sessionId}" already has a run "${runId}". Pass another runId, or use continue({ message, runId }), ` +
        "which sends a message once",
    );
    this.runId = runId;
  }
}

/** A conversation cannot go back to before that message: it has no such message, or one that did not begin a run. Nothing was stored. */
export class RewindTargetError extends SessionError {
  static override readonly name = "RewindTargetError";
  override readonly code = "rewind_target";
  /** The given id. */
  readonly messageId: string | undefined;
  /** Ids of the possible messages, oldest first. */
  readonly messageIds: readonly string[];

  constructor(sessionId: string, messageId: string | undefined, messageIds: readonly string[]) {
    const last = messageIds.slice(-5);
    const choices =
      last.length === 0
        ? "it has no message that began a run"
        : `choose one of ${last.length < messageIds.length ? "…, " : ""}${last.join(", ")}`;
    super(sessionId, `session "${sessionId}" cannot go back to before ${messageId ?? "its last message"}: ${choices}`);
    this.messageId = messageId;
    this.messageIds = messageIds;
  }
}

/** An answer was given for a question that is not open; the message says why, and names the open ones. Nothing was stored. */
export class UnexpectedAnswerError extends SessionError {
  static override readonly name = "UnexpectedAnswerError";
  override readonly code = "unexpected_answer";
  /** The given token. */
  readonly token: string;
  /** What happened to its question, such as `was withdrawn`. Unlike the message, it names no other question. */
  readonly reason: string;

  constructor(
    sessionId: string,
    token: string,
    { reason, message }: { readonly reason: string; readonly message: string },
  ) {
    super(sessionId, message);
    this.token = token;
    this.reason = reason;
  }
}

/**
 * A report about a job was not stored. `reason`: `unknown`, the session's last run has started no such job; `over`, no run waits for it any
 * more, or another outcome was reported before; `invalid-output`, the output does not match the job's schema.
 */
export class JobReportError extends SessionError {
  static override readonly name = "JobReportError";
  override readonly code = "job_report";
  /** The given id of the job, or its callback. */
  readonly job: string;
  readonly reason: "unknown" | "over" | "invalid-output";

  constructor(sessionId: string, job: string, reason: JobReportError["reason"], why: string) {
    super(sessionId, `session "${sessionId}" refused a report about job "${job.slice(0, 200)}": ${why}`);
    this.job = job;
    this.reason = reason;
  }
}

/** A limit on all runs of the session, or on the size of a request (`requestBytes`), leaves no room. The message was not stored. */
export class SessionLimitError extends SessionError {
  static override readonly name = "SessionLimitError";
  override readonly code = "session_limit";
  /** Name of the limit, such as `cost`; `requestBytes` for the size of requests. */
  readonly limit: string;
  readonly allowed: number;
  readonly used: number;

  constructor(sessionId: string, limit: string, allowed: number, used: number) {
    super(
      sessionId,
      `session "${sessionId}" has reached its limit of ${limit}: ${used} of ${allowed} used. The message was not stored; ` +
        "open the session with a higher limit, or start a new one",
    );
    this.limit = limit;
    this.allowed = allowed;
    this.used = used;
  }
}

/** The run was released, by `session.release()` in this process: it has not ended, and any process can continue it at once. */
export class RunReleasedError extends AgentError {
  static override readonly name = "RunReleasedError";
  override readonly code = "run_released";
  override readonly retryable = true;

  constructor(sessionId: string) {
    super(`session "${sessionId}" was released by this process; call continue() in another one to continue its run`);
  }
}

/** The run was stopped on request, by `session.stop()` in this process or another. */
export class RunStoppedError extends AgentError {
  static override readonly name = "RunStoppedError";
  override readonly code = "run_stopped";
}
