import { AgentError } from "./agent-error.ts";

/** The reader left a stream before the run ended. */
export class RunAbandonedError extends AgentError {
  override readonly name = "RunAbandonedError";
  override readonly code = "run_aborted";
}

/** A step that was run elsewhere (journal, engine) failed; `cause` is the recorded error. */
export class RunStepError extends AgentError {
  override readonly name = "RunStepError";
  override readonly code = "run_step";
  /** Name of the step, such as `model:3` or `call:3.0`. */
  readonly step: string;

  constructor(message: string, step: string, options?: ErrorOptions) {
    super(message, options);
    this.step = step;
  }
}

/** `finished(result)` was asked of a run that ended otherwise. */
export class OutputMissingError extends AgentError {
  override readonly name = "OutputMissingError";
  override readonly code = "output_missing";
  readonly stopReason: string;

  constructor(message: string, stopReason: string) {
    super(message);
    this.stopReason = stopReason;
  }
}

/**
 * Somebody else wrote to the session since this process read it. Nothing of yours was written, and what was acknowledged
 * before stands: read the session again (open it anew, or `resume()`), and decide.
 */
export class SessionConflictError extends AgentError {
  override readonly name = "SessionConflictError";
  override readonly code = "session_conflict";
  readonly sessionId: string;
  /** How many entries the writer thought there were. */
  readonly expectedLength: number;
  /** How many there were. */
  readonly actualLength: number;

  constructor(sessionId: string, expectedLength: number, actualLength: number) {
    super(
      `session "${sessionId}" was changed by another writer: ${expectedLength} entries expected, ${actualLength} found. ` +
        "Nothing was written; reopen the session to continue from its current state",
    );
    this.sessionId = sessionId;
    this.expectedLength = expectedLength;
    this.actualLength = actualLength;
  }
}

/** A session's log cannot be read: a line in its middle is damaged, or an entry is of a version or kind this release does not know. */
export class SessionDamagedError extends AgentError {
  override readonly name = "SessionDamagedError";
  override readonly code = "session_damaged";
  readonly sessionId: string;

  constructor(sessionId: string, problem: string, options?: ErrorOptions) {
    super(`session "${sessionId}" cannot be read: ${problem}`, options);
    this.sessionId = sessionId;
  }
}

/** A store could not read or write (disk full, read-only, gone). What was acknowledged before is kept; the entries of this call are not. */
export class SessionStoreError extends AgentError {
  override readonly name = "SessionStoreError";
  override readonly code = "session_store";
  override readonly retryable = true;
  readonly sessionId: string;

  constructor(sessionId: string, problem: string, options?: ErrorOptions) {
    super(`session "${sessionId}": ${problem}`, options);
    this.sessionId = sessionId;
  }
}

/** The session's last run is not over: it waits for an answer, or its process died. `resume()` it, or send with `unfinished: "cancel"`. */
export class SessionUnfinishedError extends AgentError {
  override readonly name = "SessionUnfinishedError";
  override readonly code = "session_unfinished";
  readonly sessionId: string;
  readonly runId: string;

  constructor(sessionId: string, runId: string, why: string) {
    super(
      `session "${sessionId}": ${why}. Call resume() to continue it, ` +
        'or send with { unfinished: "cancel" } to answer its open calls as cancelled',
    );
    this.sessionId = sessionId;
    this.runId = runId;
  }
}

const SESSION_ADVICE = 'resume it with { anyLoopVersion: true }, or send with { unfinished: "cancel" } to abandon it';

/** The run was begun by another version of the loop, which may order its steps otherwise. */
export class LoopVersionError extends AgentError {
  override readonly name = "LoopVersionError";
  override readonly code = "loop_version";
  readonly runId: string;

  /** @param advice - What else can be done about it, after "Finish it with the release that began it, ". */
  constructor(runId: string, recorded: number, current: number, advice: string = SESSION_ADVICE) {
    super(
      `run ${runId} was started by loop version ${recorded}, but this is version ${current}. ` +
        `Finish it with the release that started it, ${advice}`,
    );
    this.runId = runId;
  }
}

/** A replayed run asked for something else than its log holds, or ended otherwise: the agent's code or options have changed. */
export class ReplayDifferenceError extends AgentError {
  override readonly name = "ReplayDifferenceError";
  override readonly code = "replay_difference";
  readonly runId: string;
  /** What is different, one line each. */
  readonly differences: readonly string[];

  constructor(runId: string, differences: readonly string[]) {
    super(`run ${runId} does not replay as recorded:\n${differences.map((line) => `- ${line}`).join("\n")}`);
    this.runId = runId;
    this.differences = differences;
  }
}

/** A tool cannot be declared as it is written. Thrown at definition, never while a model is waiting. */
export class ToolDefinitionError extends AgentError {
  override readonly name = "ToolDefinitionError";
  override readonly code = "tool_definition";
  readonly tool: string;
  /** Where in the schema, such as `properties.when`; absent when the schema is not at fault. */
  readonly path: string | undefined;

  constructor(message: string, tool: string, path?: string, options?: ErrorOptions) {
    super(message, options);
    this.tool = tool;
    this.path = path;
  }
}

/**
 * Thrown by a tool's author: this call failed, tell the model so in these words.
 * Any other error is logged with its stack and reported to the model by its message only.
 */
export class ToolFailure extends Error {
  override readonly name = "ToolFailure";
}

/**
 * Thrown by a tool's author: the call was wrong in a way that the model can correct; the text says how.
 * Spends one of the tool's retries for the run.
 */
export class ToolRetry extends Error {
  override readonly name = "ToolRetry";
}
