import { EventTap, type RunningLoop, RunStream } from "../loop/run-stream.ts";
import type { WatchedSession } from "../conversation/session-watch.ts";
import type { RunResult } from "../loop/result.ts";
import type { NextRun } from "../session/runs/next-run.ts";
import { readRun } from "../session/runs/read-run.ts";
import type { Answers, SessionAbout, SessionConfig, SessionHost, SessionState } from "../session/runs/session-host.ts";
import type { SessionStore } from "../session/store/store.ts";
import type { JobReport } from "../tool/job.ts";
import { checkReads, type Reads } from "../tool/reads.ts";
import type { ToolCall } from "../tool/tool-call.ts";
import type { Content } from "../wire/types/content.ts";
import { readRequest, readRunOptions, readSessionOptions } from "./read-options.ts";
import type {
  AnyRunOptions,
  OptionsArgument,
  OutputOf,
  OutputSchema,
  RunOptions,
  WrittenOf,
  ContinueOptions,
  RegenerateOptions,
  ResumeOptions,
  RewindOptions,
  SendOptions,
  SessionOptions,
} from "./options.ts";
import { buildContents, readMessage, type RunInput } from "./run-input.ts";

/**
 * A stored conversation: every answer of the model and every outcome of a tool is stored before anything depends on it, so a run
 * can be resumed after a crash, in any process, and no finished step is repeated.
 *
 * One run at a time. Options of a run (tools, instructions, an output schema, the context) are not stored: pass `resume` the options
 * of `send`.
 */
export class Session<
  Context = unknown,
  Calls extends ToolCall = ToolCall,
  Schema extends OutputSchema | undefined = undefined,
> {
  /** Never set. */
  declare readonly "~context"?: ((context: Context) => void) | undefined;
  readonly id: string;
  readonly #host: SessionHost<AnyRunOptions>;
  readonly #store: SessionStore;
  readonly #config: SessionConfig;
  readonly #events: EventTap = new EventTap();
  /** Opens the runs of the session whose conversation this agent takes over. */
  #before: (() => Promise<NextRun<AnyRunOptions>>) | undefined;
  #opened: NextRun<AnyRunOptions> | undefined;

  /** @internal */
  constructor(host: SessionHost<AnyRunOptions>, options: SessionOptions) {
    const { id, store, config } = readSessionOptions(host, options);
    this.id = id;
    this.#host = host;
    this.#store = store;
    this.#config = config;
  }

  /** The session's runs. Their code is loaded when a session is first used; if that fails, the next call tries again. */
  async #open(): Promise<NextRun<AnyRunOptions>> {
    if (this.#opened !== undefined) return this.#opened;
    const { NextRun, SessionLog } = await import("../session/session-runtime.ts");
    const before = await this.#before?.();
    // Another call may have been faster.
    if (this.#opened === undefined) {
      this.#opened = new NextRun(new SessionLog(this.#store, this.id), this.#host, this.#config);
      if (before !== undefined) {
        this.#opened.takesOver = true;
        this.#opened.givenTo = before.givenTo;
      }
    }
    return this.#opened;
  }

  /**
   * Sends a message and returns the result of its run. Works in any state of the session: a run that failed, was stopped, reached a
   * limit, was cut off or waits for an answer is closed first, its open calls answered as cancelled. A run with a stored answer that it
   * has not used continues instead, and its result is returned: the model reads the message with the outcome.
   *
   * @throws {SessionRunningError} When a run is in progress, unless `whileRunning` says what to do then. Nothing was stored.
   * @throws {SessionLimitError} When a limit of the session leaves no room for another run. Nothing was stored.
   */
  async send<Own extends OutputSchema | undefined = Schema>(
    input: RunInput,
    ...options: OptionsArgument<RunOptions<Own, Context> & SendOptions, Context>
  ): Promise<RunResult<OutputOf<Own>, Calls>> {
    return await this.stream<Own>(input, ...options).result();
  }

  /** {@link Session.send} as a stream. Nothing happens until it is read. */
  stream<Own extends OutputSchema | undefined = Schema>(
    input: RunInput,
    ...options: OptionsArgument<RunOptions<Own, Context> & SendOptions, Context>
  ): RunStream<OutputOf<Own>, Calls, WrittenOf<Own>> {
    return this.#start("send", options[0], buildContents(input, this.#host.model));
  }

  /**
   * Takes the conversation back to before a message: that message and everything after it disappear from the history and from the
   * conversation. The log keeps them, and their usage still counts. Messages that no run has read yet stay queued.
   *
   * What tools did is not undone.
   *
   * @param options - `before`: which message. The rest: options of the last run; if it was cut off in the middle of an answer, its
   * guardrails check that answer.
   * @returns The message, for instance to edit it.
   * @throws {SessionRunningError} When a run is in progress: stop it first. Nothing was stored.
   * @throws {RewindTargetError} When no run of the conversation began with that message; names the possible ones.
   */
  async rewind(
    ...given: OptionsArgument<RunOptions<undefined, Context> & RewindOptions, Context>
  ): Promise<readonly Content[]> {
    const { before, ...options }: AnyRunOptions & RewindOptions = readRunOptions(given[0], "rewind");
    this.#host.check(options);
    return await (await this.#open()).rewind(before, options, options.signal);
  }

  /**
   * Regenerates an answer: takes the conversation back to before the message that it answers, and sends that message again, as a new
   * run. What tools did in the first run is not undone, and they may do it again.
   *
   * @throws {SessionRunningError} When a run is in progress, unless `whileRunning` says what to do then. Nothing was stored.
   * @throws {RewindTargetError} When the conversation has no such message; names the possible ones. Nothing was stored.
   */
  async regenerate<Own extends OutputSchema | undefined = Schema>(
    ...options: OptionsArgument<RunOptions<Own, Context> & RegenerateOptions, Context>
  ): Promise<RunResult<OutputOf<Own>, Calls>> {
    return await this.regenerateStream<Own>(...options).result();
  }

  /** {@link Session.regenerate} as a stream. Nothing happens until it is read. */
  regenerateStream<Own extends OutputSchema | undefined = Schema>(
    ...options: OptionsArgument<RunOptions<Own, Context> & RegenerateOptions, Context>
  ): RunStream<OutputOf<Own>, Calls, WrittenOf<Own>> {
    return this.#start("regenerate", options[0]);
  }

  /**
   * Continues the last run: after a crash, a failure, an abort or a limit, or with answers to its pending questions. Finished steps
   * are not repeated; pass the same options as for the message. After a crash on another machine it first waits, for as long as
   * {@link SessionOptions.leaseMs}, to be sure that the run is not in progress there.
   *
   * @throws {LoopVersionError} When another version of the loop started it, and was in the middle of a turn.
   * @throws {SessionRunningError} When the run is in progress.
   * @throws {NothingToResumeError} When the last run is over, or there is none.
   * @throws {UnexpectedAnswerError} When an answer has no token of an open question.
   */
  async resume<Own extends OutputSchema | undefined = Schema>(
    ...options: OptionsArgument<RunOptions<Own, Context> & ResumeOptions, Context>
  ): Promise<RunResult<OutputOf<Own>, Calls>> {
    return await this.resumeStream<Own>(...options).result();
  }

  /** {@link Session.resume} as a stream: the events of the whole run, including those before it stopped. */
  resumeStream<Own extends OutputSchema | undefined = Schema>(
    ...options: OptionsArgument<RunOptions<Own, Context> & ResumeOptions, Context>
  ): RunStream<OutputOf<Own>, Calls, WrittenOf<Own>> {
    return this.#start("resume", options[0]);
  }

  /**
   * Does what the session's state calls for: the one call that a handler needs. It sends a message, if there is one. With answers it
   * resumes the run that waits for them, and a message beside them is part of its next request. With neither it resumes a run that
   * stopped, follows one that is in progress, or returns the last result again.
   *
   * A `runId` makes a message idempotent: sent again under the same id, by a caller that retries or a program that was restarted, it
   * resumes or follows its run, or returns its result. A message that steered a run does not steer it again.
   *
   * @throws {SessionRunningError} For a message while a run is in progress, unless `whileRunning` says what to do then. Nothing was stored.
   * @throws {UnexpectedAnswerError} When an answer has no token of an open question. Nothing was stored.
   * @throws {NothingToResumeError} Without a message on a session that has no run.
   */
  async continue<Own extends OutputSchema | undefined = Schema>(
    ...options: OptionsArgument<RunOptions<Own, Context> & ContinueOptions, Context>
  ): Promise<RunResult<OutputOf<Own>, Calls>> {
    return await this.continueStream<Own>(...options).result();
  }

  /** {@link Session.continue} as a stream. The events of a run in another process come when that run is over. */
  continueStream<Own extends OutputSchema | undefined = Schema>(
    ...options: OptionsArgument<RunOptions<Own, Context> & ContinueOptions, Context>
  ): RunStream<OutputOf<Own>, Calls, WrittenOf<Own>> {
    return this.#start("continue", options[0]);
  }

  /**
   * Stores answers to pending calls without running anything. A run that is still busy with other calls uses them; to continue any other
   * run, call `resume()` or `continue()`.
   *
   * @throws {UnexpectedAnswerError} When an answer has no token of an open question. Nothing was stored.
   * @throws {JobReportError} When an output does not match the schema of its job. Nothing was stored.
   */
  async answer(answers: Answers): Promise<void> {
    await (await this.#open()).answer(answers);
  }

  /**
   * Stores the progress or the outcome of a job that the last run started, without running anything: for a webhook. `continue()` then
   * continues the run with the outcome. The same outcome may be reported again.
   *
   * @param job - The id that `start` gave, or its `callback`.
   * @throws {JobReportError} For a job that the session's last run doesn't wait for, an outcome that differs from the first, or an output
   * that does not match the job's schema. Nothing was stored.
   */
  async reportJob(job: string, report: JobReport): Promise<void> {
    await (await this.#open()).jobs.report(job, report);
  }

  /**
   * Sends input to the run in progress, in this process or another: the run's next request includes it as a user content. If no
   * run is in progress, the next one includes it.
   *
   * @param options - `id`: of the message, also in the conversation; sent again under the same id, it is included once. `reads`: what it
   * brings into the history, as for a message; a person's own text by default.
   * @returns `"run"` or `"next-run"`: which of them includes it.
   */
  async steer(
    input: RunInput,
    { id, reads }: { readonly id?: string | undefined; readonly reads?: Reads | undefined } = {},
  ): Promise<"run" | "next-run"> {
    const contents = buildContents(input, this.#host.model);
    checkReads("reads", reads);
    const steered = await (await this.#open()).steer(contents, readMessage(contents, { reads }), id);
    return steered === undefined ? "next-run" : "run";
  }

  /**
   * Stops the run in progress, in this process or another, and waits until it has ended: its requests and calls are aborted, and the
   * answer so far is kept. Its `send` rejects with `RunStoppedError`. The run's jobs are cancelled, also those of a run that waits for
   * them: `continue()` tells the model.
   *
   * @param options - `signal`: ends the wait, not the request to stop.
   * @returns False when no run was in progress or waiting for a job.
   */
  async stop({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<boolean> {
    return await (await this.#open()).stop(signal);
  }

  /**
   * Leaves the session to other processes, because this one is about to end: the run that this object is making stops where it is, and any
   * process can continue it at once, as after a crash. No finished step is repeated. The run first waits for `once` calls that have begun;
   * everything else in progress is aborted, and done again there. This object makes no more runs: its `send` rejects with
   * `RunReleasedError`, and so does the run in progress.
   *
   * @param options - `signal`: ends the wait for `once` calls; the caller that continues the run is asked whether they took effect.
   * @returns False when this object was making no run.
   */
  async release({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<boolean> {
    return await (await this.#open()).release(signal);
  }

  /**
   * Cancels one call of the run that this object is making; see `RunStream.cancelCall`.
   *
   * @returns False when no such call is running here.
   */
  cancelCall(callId: string): boolean {
    return this.#opened?.cancelCall(callId) ?? false;
  }

  /** Sets the title, owner and metadata by which lists show and select the session; `null` removes a member. */
  async describe(about: {
    readonly [Name in keyof SessionAbout]?: SessionAbout[Name] | null;
  }): Promise<void> {
    const { log } = await this.#open();
    await log.refresh();
    await log.append({}, { type: "info", ...about });
  }

  /**
   * The same conversation, continued by another agent from the next run on, no matter which agent leads: with its instructions, tools,
   * model and settings, and this session's history and limits. Removes signatures that its model cannot use. `handoff()` lets the model decide.
   *
   * @see `docs/guides/teams.md`
   */
  as<OtherContext, OtherCalls extends ToolCall, OtherSchema extends OutputSchema | undefined>(agent: {
    session(options: SessionOptions): Session<OtherContext, OtherCalls, OtherSchema>;
  }): Session<OtherContext, OtherCalls, OtherSchema> {
    const session = agent.session({ ...this.#shared(), id: this.id });
    session.#before = () => this.#open();
    return session;
  }

  /** All contents, oldest first, as they are sent. Never ends on an open call: calls of a run that is not over count as cancelled. */
  async history(): Promise<readonly Content[]> {
    const runs = await this.#open();
    await runs.log.refresh();
    return runs.history();
  }

  /**
   * The log and events that `readConversation` and `watchConversation` follow.
   *
   * @internal
   */
  watched(): WatchedSession {
    return {
      id: this.id,
      events: this.#events,
      open: async () => {
        const { log, leases } = await this.#open();
        return { log, look: () => leases.look() };
      },
    };
  }

  /** The current state of the session. */
  async state(): Promise<SessionState> {
    return await (await this.#open()).state();
  }

  /**
   * Creates a session in the same store that starts with this one's history, or with its first `contents` contents.
   *
   * @throws {TypeError} When the cut would leave a call open; names the nearest valid cuts.
   * @throws {SessionConflictError} When a session with that id exists.
   */
  async fork(
    options: { readonly id?: string | undefined; readonly contents?: number | undefined } = {},
  ): Promise<Session<Context, Calls, Schema>> {
    const begin = await (await this.#open()).forkAt(options.contents);
    const fork = new Session<Context, Calls, Schema>(this.#host, { ...this.#shared(), id: options.id });
    await (await fork.#open()).log.append({ at: 0 }, begin);
    return fork;
  }

  /**
   * Replays a run from its log: no model or tool is called, nothing is written. Produces the same events (whole texts instead of
   * deltas) and the same result.
   *
   * @param options - `runId`: which run; defaults to the last. The rest: the options the run had.
   * @throws {ReplayDifferenceError} While the stream is read, if the agent's code or options have changed what the run does.
   */
  replay(options: AnyRunOptions = {}): RunStream<unknown, Calls> {
    const { runId, ...rest } = options;
    return new RunStream((emitters) => this.#read((runs) => runs.opener.replay(runId, { options: rest, emitters })));
  }

  /** Options of a session that continues this one. */
  #shared(): SessionOptions {
    const { about, history: _, historyReads: _reads, ...limits } = this.#config;
    return { store: this.#store, ...limits, ...about };
  }

  /** A stream whose events `readConversation` and `watchConversation` follow too, run in its caller's context. */
  #start<Output, Written>(
    method: Parameters<typeof readRequest>[1],
    options: unknown,
    message?: readonly Content[],
  ): RunStream<Output, Calls, Written> {
    const next = readRequest(this.#host, method, options, message);
    const start = method === "regenerate" ? "send" : method;
    return new RunStream((emitters) => {
      const request = { ...next, emitters: this.#events.tap(emitters) };
      return this.#read((runs) => runs[start](request));
    }, this.#host.callersContext());
  }

  #read(begin: (runs: NextRun<AnyRunOptions>) => RunningLoop): RunningLoop {
    return readRun<RunningLoop>(async (reader) => {
      const running = (reader.opened = begin(await this.#open()));
      return await running.run();
    });
  }
}
