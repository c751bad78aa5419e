import { checkLimits } from "../loop/limits.ts";
import type { RunResult, StopReason } from "../loop/result.ts";
import { RunStream } from "../loop/run-stream.ts";
import type { Usage } from "../model/usage.ts";
import { isResumable } from "../session/entries.ts";
import { MemoryStore, type SessionStore } from "../session/store.ts";
import { replayRun } from "../session/replay.ts";
import { checkForkPoint, takeSegments } from "../session/session-view.ts";
import type { SessionHost, SessionLimits } from "../session/session-host.ts";
import { SessionLog } from "../session/session-log.ts";
import { SessionRuns, type Unfinished } from "../session/session-runs.ts";
import type { Approval, ExternalOutcome, PendingCall } from "../tool/tool.ts";
import type { Content } from "../wire/types/content.ts";
import type { AnyRunOptions, OutputOf, OutputSchema, RunOptions } from "./options.ts";
import { buildContents, type RunInput } from "./run-input.ts";

/**
 * A stored conversation: every answer of the model and every outcome of a tool is stored before anything depends on it, so a run
 * can be resumed after a crash, in any process, and no finished step is repeated.
 *
 * One run at a time. Options of a run (tools, instructions, an output schema) are not stored: pass `resume` the options of `send`.
 */
export class Session {
  readonly id: string;
  readonly #store: SessionStore;
  readonly #host: SessionHost<AnyRunOptions>;
  readonly #log: SessionLog;
  readonly #limits: SessionLimits | undefined;
  readonly #runs: SessionRuns<AnyRunOptions>;

  /** @internal */
  constructor(host: SessionHost<AnyRunOptions>, options: SessionOptions) {
    this.id = options.id ?? crypto.randomUUID();
    if (this.id.trim() === "") throw new TypeError("a session's id must not be empty");
    this.#store = options.store ?? new MemoryStore();
    this.#host = host;
    this.#log = new SessionLog(this.#store, this.id);
    if (options.limits !== undefined) checkLimits(options.limits);
    this.#limits = options.limits;
    this.#runs = new SessionRuns(this.#log, host, options.limits);
  }

  /**
   * Sends a message and returns the result of its run.
   *
   * @throws {SessionUnfinishedError} When the last run was cut off or waits for an answer.
   * @throws {SessionConflictError} When another process writes to the session.
   */
  async send<Schema extends OutputSchema | undefined = undefined>(
    input: RunInput,
    options: RunOptions<Schema> & SendOptions = {},
  ): Promise<RunResult<OutputOf<Schema>>> {
    return await this.stream(input, options).result();
  }

  /** Sends a message and streams its run. Nothing happens until it is read. */
  stream<Schema extends OutputSchema | undefined = undefined>(
    input: RunInput,
    { unfinished = "refuse", ...options }: RunOptions<Schema> & SendOptions = {},
  ): RunStream<OutputOf<Schema>> {
    const contents = buildContents(input, this.#host.model);
    this.#host.check(options);
    const runId = options.runId ?? crypto.randomUUID();
    return new RunStream((emitters) => this.#runs.begin({ input: contents, runId, unfinished, options, emitters }));
  }

  /**
   * Continues the last run: after a crash, a failure, an abort or a limit, or with answers to its pending questions. Finished steps
   * are not repeated; pass the same options as for the message.
   *
   * @throws {LoopVersionError} When another version of the loop started it.
   * @throws {TypeError} When there is nothing to resume, or an answer matches no pending call.
   */
  async resume<Schema extends OutputSchema | undefined = undefined>(
    options: RunOptions<Schema> & ResumeOptions = {},
  ): Promise<RunResult<OutputOf<Schema>>> {
    return await this.resumeStream(options).result();
  }

  /** {@link Session.resume} as a stream: the events of the whole run, including those before it stopped. */
  resumeStream<Schema extends OutputSchema | undefined = undefined>({
    approvals = {},
    outcomes = {},
    anyLoopVersion = false,
    ...options
  }: RunOptions<Schema> & ResumeOptions = {}): RunStream<OutputOf<Schema>> {
    this.#host.check(options);
    return new RunStream((emitters) =>
      this.#runs.resume({ answers: { approvals, outcomes }, anyLoopVersion, options, emitters }),
    );
  }

  /**
   * Sends input to the run in progress, in this process or another: the run's next request includes it as a user content. If no
   * run is in progress, the next message includes it.
   */
  async steer(input: RunInput): Promise<void> {
    const contents = buildContents(input, this.#host.model);
    await this.#log.refresh();
    await this.#log.append({ type: "steer", contents });
  }

  /**
   * The same conversation, continued by another agent from the next run on: its instructions, tools, model and settings, with this
   * session's history and limits. Signatures the other model cannot use are removed.
   *
   * @see `docs/guides/teams.md`
   */
  as(agent: { session(options: SessionOptions): Session }): Session {
    return agent.session({ id: this.id, store: this.#store, limits: this.#limits });
  }

  /**
   * Starts run `runId`, resumes it if it was cut off, or replays its result if it has ended.
   *
   * @internal
   */
  async startOrResume(runId: string, input: RunInput, options: AnyRunOptions): Promise<RunStream<unknown>> {
    await this.#log.refresh();
    const { run } = this.#log.view;
    if (run?.entry.runId !== runId) return this.stream(input, { ...options, runId });
    const waits = run.end?.pending !== undefined;
    if (run.end !== undefined && (waits || !isResumable(run.end))) return this.replay({ ...options, runId });
    return this.resumeStream(options);
  }

  /** All contents, oldest first, as they are sent. Never ends on an open call. */
  async history(): Promise<readonly Content[]> {
    await this.#log.refresh();
    return this.#log.view.history();
  }

  /** The current state of the session. */
  async state(): Promise<SessionState> {
    await this.#log.refresh();
    const { run, runs, turns, toolCalls, usage, cost } = this.#log.view;
    return {
      runs,
      turns,
      toolCalls,
      usage,
      cost,
      lastRun: run === undefined ? undefined : (run.end?.stopReason ?? "cut-off"),
      resumable: run !== undefined && (run.end === undefined || isResumable(run.end)),
      pending: run?.end?.pending ?? [],
    };
  }

  /**
   * Creates a session in the same store that starts with this one's history, or with its first `contents` contents.
   *
   * @throws {TypeError} When the cut would leave a call open; names the nearest valid cuts.
   * @throws {SessionConflictError} When a session with that id exists.
   */
  async fork(
    options: { readonly id?: string | undefined; readonly contents?: number | undefined } = {},
  ): Promise<Session> {
    await this.#log.refresh();
    const { view } = this.#log;
    const all = view.history();
    const contents = options.contents ?? all.length;
    checkForkPoint(all, contents);
    const fork = new Session(this.#host, { id: options.id, store: this.#store, limits: this.#limits });
    const parts = takeSegments(view.allSegments(), contents);
    await fork.#log.append({ type: "history", parts, from: { session: this.id, contents } });
    return fork;
  }

  /**
   * Replays a run from its log: no model or tool is called, nothing is written. Produces the same events (whole texts instead of
   * deltas) and the same result.
   *
   * @param options - `runId`: which run; defaults to the last. The rest: the options the run had.
   * @throws {ReplayDifferenceError} While it is read, if the agent's code or options have changed what the run does.
   */
  replay(options: AnyRunOptions = {}): RunStream<unknown> {
    const { runId, ...rest } = options;
    const session = { id: this.id, store: this.#store, host: this.#host, limits: this.#limits };
    return new RunStream((emitters) => replayRun(session, runId, { options: rest, emitters }));
  }
}

/** Identity, store and limits of a session. */
export interface SessionOptions {
  /** The session's key in its store. @defaultValue a random UUID */
  readonly id?: string | undefined;
  /** @defaultValue a new {@link MemoryStore} */
  readonly store?: SessionStore | undefined;
  /** Limits on all runs of the session together; a run that reaches one ends with `limit` and `scope: "session"`. @defaultValue none */
  readonly limits?: SessionLimits | undefined;
}

/** Options of sending a message. */
export interface SendOptions {
  /**
   * If the last run was cut off by a crash or waits for an answer: refuse the message, or answer the open calls as cancelled and
   * continue. @defaultValue "refuse"
   */
  readonly unfinished?: Unfinished | undefined;
}

/** Options of resuming a run. */
export interface ResumeOptions {
  /** Decisions on calls that require approval, by call id: `true` runs the call, `false` or `{ deny }` refuses it. */
  readonly approvals?: { readonly [callId: string]: Approval } | undefined;
  /** Outcomes of calls that were executed elsewhere, by call id. */
  readonly outcomes?: { readonly [callId: string]: ExternalOutcome } | undefined;
  /** Resume a run that another version of the loop started. @defaultValue false */
  readonly anyLoopVersion?: boolean | undefined;
}

/** State of a session. */
export interface SessionState {
  /** Runs that have ended, however they ended. */
  readonly runs: number;
  readonly turns: number;
  readonly toolCalls: number;
  /** Sum over all runs. */
  readonly usage: Usage;
  /** Cost of all runs; 0 without a price table. */
  readonly cost: number;
  /** How the last run ended; `"cut-off"` when its process died, `undefined` when there was none. */
  readonly lastRun: StopReason | "failed" | "aborted" | "cut-off" | undefined;
  /** Whether {@link Session.resume} can continue the last run. */
  readonly resumable: boolean;
  /** Calls the last run waits for. */
  readonly pending: readonly PendingCall[];
}
