import { AgentError, KnownError, SessionError } from "./agent-error.ts";

/** The reader left the stream before the run ended. */
export class RunAbandonedError extends AgentError {
  static override readonly name = "RunAbandonedError";
  override readonly code = "run_aborted";
}

/** A step of a journal or an engine failed; `cause` is the recorded error. */
export class RunStepError extends AgentError {
  static override readonly name = "RunStepError";
  override readonly code = "run_step";
  /** Name of the step, such as `model:3` or `call:3.0`. */
  readonly step: string;

  constructor(message: string, step: string, options?: ErrorOptions) {
    super(message, options);
    this.step = step;
  }
}

/** A guardrail threw, so its decision is unknown, and the run failed. `cause` is the guardrail's error. */
export class GuardrailError extends AgentError {
  static override readonly name = "GuardrailError";
  override readonly code = "guardrail";
  /** Name of the guardrail. */
  readonly guardrail: string;
  /** The side that it checks. */
  readonly side: "input" | "output";

  constructor(
    message: string,
    { name, side }: { readonly name: string; readonly side: "input" | "output" },
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.guardrail = name;
    this.side = side;
  }
}

/** `finished(result)` was called for a run that did not finish. */
export class OutputMissingError extends AgentError {
  static override readonly name = "OutputMissingError";
  override readonly code = "output_missing";
  readonly stopReason: string;

  constructor(message: string, stopReason: string) {
    super(message);
    this.stopReason = stopReason;
  }
}

/** Another writer changed the session after it was read. Nothing of this write was stored: reopen the session, or `resume()` it. */
export class SessionConflictError extends SessionError {
  static override readonly name = "SessionConflictError";
  override readonly code = "session_conflict";
  /** How many entries this writer had read. */
  readonly expectedLength: number;
  /** How many entries the log has. */
  readonly actualLength: number;

  constructor(sessionId: string, expectedLength: number, actualLength: number) {
    super(
      sessionId,
      `session "${sessionId}" was changed by another writer: ${expectedLength} entries expected, ${actualLength} found. ` +
        "Nothing was written; reopen the session to continue from its current state",
    );
    this.expectedLength = expectedLength;
    this.actualLength = actualLength;
  }
}

/** A session's log cannot be read: it is damaged, nests too deep, or is unknown to this release. Nothing was written; `repairSession` repairs it. */
export class SessionDamagedError extends SessionError {
  static override readonly name = "SessionDamagedError";
  override readonly code = "session_damaged";

  constructor(sessionId: string, problem: string, options?: ErrorOptions) {
    super(sessionId, `session "${sessionId}" cannot be read: ${problem}`, options);
  }
}

/** A store cannot read or write (disk full, read-only, gone). Acknowledged entries are kept; the entries of this call are not. */
export class SessionStoreError extends SessionError {
  static override readonly name = "SessionStoreError";
  override readonly code = "session_store";
  override readonly retryable = true;

  constructor(sessionId: string, problem: string, options?: ErrorOptions) {
    // A list concerns many: its id is a pattern.
    super(sessionId, sessionId.endsWith("*") ? problem : `session "${sessionId}": ${problem}`, options);
  }
}

/** The session's last run is unfinished: it waits for an answer, or its process died. The message was sent with `unfinished: "refuse"`. */
export class SessionUnfinishedError extends SessionError {
  static override readonly name = "SessionUnfinishedError";
  override readonly code = "session_unfinished";
  readonly runId: string;

  constructor(sessionId: string, runId: string, why: string) {
    super(
      sessionId,
      `session "${sessionId}": ${why}. Call resume() to continue it, ` +
        'or send without { unfinished: "refuse" } to answer its open calls as cancelled',
    );
    this.runId = runId;
  }
}

const SESSION_ADVICE = "resume it with { anyLoopVersion: true }, or send a message, which closes it";

/** The run was started by another version of the loop, whose steps may differ. */
export class LoopVersionError extends AgentError {
  static override readonly name = "LoopVersionError";
  override readonly code = "loop_version";
  readonly runId: string;

  /** @param advice - The alternative to "Finish it with the release that started it, ". */
  constructor(runId: string, recorded: number, current: number, advice: string = SESSION_ADVICE) {
    super(
      `run ${runId} was started by loop version ${recorded}, but this is version ${current}. ` +
        `Finish it with the release that started it, ${advice}`,
    );
    this.runId = runId;
  }
}

/** A replayed run differs from its log in a request or in its end: the agent's code or options have changed. */
export class ReplayDifferenceError extends AgentError {
  static override readonly name = "ReplayDifferenceError";
  override readonly code = "replay_difference";
  readonly runId: string;
  /** One line for each difference. */
  readonly differences: readonly string[];

  constructor(runId: string, differences: readonly string[]) {
    super(`run ${runId} does not replay as recorded:\n${differences.map((line) => `- ${line}`).join("\n")}`);
    this.runId = runId;
    this.differences = differences;
  }
}

/** An approval changed a call's arguments in a way that its tool does not accept. The call was not run. */
export class InvalidApprovalError extends AgentError {
  static override readonly name = "InvalidApprovalError";
  override readonly code = "invalid_approval";
  /** Id of the call, such as `call:3.0`. */
  readonly callId: string;
  readonly tool: string;

  constructor(callId: string, tool: string, problem: string, rule: string = "do not match its schema") {
    super(`the arguments given for ${callId} (${tool}) ${rule}: ${problem}`);
    this.callId = callId;
    this.tool = tool;
  }
}

/** A tool's declaration is invalid. Thrown when the tool is defined, never during a run. */
export class ToolDefinitionError extends AgentError {
  static override readonly name = "ToolDefinitionError";
  override readonly code = "tool_definition";
  readonly tool: string;
  /** Path in the schema, such as `properties.when`; undefined if the schema is not the problem. */
  readonly path: string | undefined;

  constructor(message: string, tool: string, path?: string, options?: ErrorOptions) {
    super(message, options);
    this.tool = tool;
    this.path = path;
  }
}

/**
 * Thrown by a tool: the call failed, and the model reads this message. Any other error is logged, and the model only reads that the tool
 * failed.
 * @example
 * ```ts
 * const cancel = defineTool({
 *   name: "cancel_order",
 *   description: "Cancels an order.",
 *   input: z.object({ order: z.string() }),
 *   run: async ({ order }) => {
 *     if (await isShipped(order)) throw new ToolError(`${order} is on its way and can't be cancelled`);
 *     return "cancelled";
 *   },
 * });
 * ```
 */
export class ToolError extends KnownError {
  static override readonly name: string = "ToolError";
  override readonly name = "ToolError";
  readonly code: string = "tool_error";
  /** What the failure counts as. @defaultValue "failed" */
  readonly kind: "failed" | "timeout";

  constructor(message?: string, options: ErrorOptions & { readonly kind?: "timeout" | undefined } = {}) {
    super(message, options);
    this.kind = options.kind ?? "failed";
  }
}

/** Thrown by a tool: the model can correct the call, as the message explains. Uses up one of the tool's `maxModelRetries` in the run. */
export class ModelRetry extends KnownError {
  static override readonly name: string = "ModelRetry";
  override readonly name = "ModelRetry";
  readonly code: string = "model_retry";
}
