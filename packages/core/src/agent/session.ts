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
 * A conversation that is kept: every answer of the model and every outcome of a tool is stored before anything depends on it,
 * so a run can be resumed after a crash, in any process, and nothing that was finished happens twice.
 *
 * One run at a time. Options of a run (tools, instructions, an output schema) are not stored: give `resume` what `send` was given.
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
   * Sends a message and gives the result of its run.
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

  /** Sends a message and gives its run to watch. Nothing happens until it is read. */
  stream<Schema extends OutputSchema | undefined = undefined>(
    input: RunInput,
    options: RunOptions<Schema> & SendOptions = {},
  ): RunStream<OutputOf<Schema>> {
    return this.#send(input, options);
  }

  /**
   * Goes on with the last run: after a crash, a failure, an abort or a limit, or with answers to what it waits for. Steps that
   * ended are not run again; give the same options as the message had.
   *
   * @throws {LoopVersionError} When another version of the loop began it.
   * @throws {TypeError} When there is nothing to resume, or an answer fits no call that waits.
   */
  async resume<Schema extends OutputSchema | undefined = undefined>(
    options: RunOptions<Schema> & ResumeOptions = {},
  ): Promise<RunResult<OutputOf<Schema>>> {
    return await this.resumeStream(options).result();
  }

  /** {@link Session.resume} to watch: the events of the whole run, what was done before the stop included. */
  resumeStream<Schema extends OutputSchema | undefined = undefined>(
    options: RunOptions<Schema> & ResumeOptions = {},
  ): RunStream<OutputOf<Schema>> {
    return this.#resume(options);
  }

  /**
   * Says something to the run that is going, in this process or another: it goes along with the run's next request, as a
   * content of the user's. With no run going, it goes along with the next message.
   */
  async steer(input: RunInput): Promise<void> {
    const contents = buildContents(input, this.#host.model);
    await this.#log.refresh();
    await this.#log.append({ type: "steer", contents });
  }

  /**
   * The same conversation, led by another agent from its next run on: its instructions, tools, model and settings, this
   * session's history and limits. Signatures that mean nothing to the other model are taken off on the way.
   *
   * @see `docs/guides/teams.md`
   */
  as(agent: { session(options: SessionOptions): Session }): Session {
    return agent.session({ id: this.id, store: this.#store, limits: this.#limits });
  }

  /**
   * Begins run `runId`, goes on with it when it was cut off, or gives its result once more when it is over.
   *
   * @internal
   */
  async startOrResume(runId: string, input: RunInput, options: AnyRunOptions): Promise<RunStream<unknown>> {
    await this.#log.refresh();
    const { run } = this.#log.view;
    if (run?.entry.runId !== runId) return this.#send(input, { ...options, runId });
    const waits = run.end?.pending !== undefined;
    if (run.end !== undefined && (waits || !isResumable(run.end))) return this.replay({ ...options, runId });
    return this.#resume(options);
  }

  /** Everything said, oldest first, as it goes over the wire. Ends on no open call. */
  async history(): Promise<readonly Content[]> {
    await this.#log.refresh();
    return this.#log.view.history();
  }

  /** Where the session stands. */
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
   * A new session in the same store that begins with this one's history, or with its first `contents` contents.
   *
   * @throws {TypeError} When the cut would leave a call open; names the nearest places where it would not.
   * @throws {SessionConflictError} When there is a session with that id.
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
   * A run once more from its own log: no model is asked, no tool is run, nothing is written. Gives the same events (whole texts
   * in place of deltas) and the same result.
   *
   * @param options - `runId`: which run. Defaults to the last. Otherwise the options the run had.
   * @throws {ReplayDifferenceError} From reading it, when the agent's code or options have changed what the run does.
   */
  replay(options: AnyRunOptions = {}): RunStream<unknown> {
    const { runId, ...rest } = options;
    const session = { id: this.id, store: this.#store, host: this.#host, limits: this.#limits };
    return new RunStream((emitters) => replayRun(session, runId, { options: rest, emitters }));
  }

  #send<Output>(
    input: RunInput,
    { unfinished = "refuse", ...options }: AnyRunOptions & SendOptions,
  ): RunStream<Output> {
    const contents = buildContents(input, this.#host.model);
    this.#host.check(options);
    const runId = options.runId ?? crypto.randomUUID();
    return new RunStream((emitters) => this.#runs.begin({ input: contents, runId, unfinished, options, emitters }));
  }

  #resume<Output>({
    approvals = {},
    outcomes = {},
    anyLoopVersion = false,
    ...options
  }: AnyRunOptions & ResumeOptions): RunStream<Output> {
    this.#host.check(options);
    return new RunStream((emitters) =>
      this.#runs.resume({ answers: { approvals, outcomes }, anyLoopVersion, options, emitters }),
    );
  }
}

/** Which conversation a session is, and where it is kept. */
export interface SessionOptions {
  /** The session's name in its store. @defaultValue a random UUID */
  readonly id?: string | undefined;
  /** @defaultValue a new {@link MemoryStore} */
  readonly store?: SessionStore | undefined;
  /** Bounds of all runs of the session together; a run that reaches one ends with `limit`, its `scope` being `"session"`. @defaultValue none */
  readonly limits?: SessionLimits | undefined;
}

/** How a message is sent. */
export interface SendOptions {
  /**
   * What to do when the last run was cut off by a crash, or waits for an answer: refuse the message, or answer the open calls
   * as cancelled and go on. @defaultValue "refuse"
   */
  readonly unfinished?: Unfinished | undefined;
}

/** What a run is given to go on with. */
export interface ResumeOptions {
  /** A person's word on calls that wait for it, by call id: `true` runs the call, `false` or `{ deny }` tells the model no. */
  readonly approvals?: { readonly [callId: string]: Approval } | undefined;
  /** What came of calls that were carried out elsewhere, by call id. */
  readonly outcomes?: { readonly [callId: string]: ExternalOutcome } | undefined;
  /** Go on with a run that another version of the loop began. @defaultValue false */
  readonly anyLoopVersion?: boolean | undefined;
}

/** Where a session stands. */
export interface SessionState {
  /** Runs that ended, in whatever way. */
  readonly runs: number;
  readonly turns: number;
  readonly toolCalls: number;
  /** Sum over all runs. */
  readonly usage: Usage;
  /** Cost of all runs; 0 without a price table. */
  readonly cost: number;
  /** How the last run ended; `"cut-off"` when its process died, `undefined` when there was none. */
  readonly lastRun: StopReason | "failed" | "aborted" | "cut-off" | undefined;
  /** True when {@link Session.resume} has something to go on with. */
  readonly resumable: boolean;
  /** What the last run waits for. */
  readonly pending: readonly PendingCall[];
}
