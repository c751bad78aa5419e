import { NothingToResumeError, RunIdTakenError, SessionRunningError } from "../../errors/session-errors.ts";
import { NOTHING_YET } from "../../loop/result.ts";
import type { RunEmitters, RunningLoop } from "../../loop/run-stream.ts";
import type { Content, JsonObject } from "../../wire/types/content.ts";
import { isResumable } from "../log/entries.ts";
import { lookUntil } from "../lease/lease.ts";
import { recallRun } from "./recall.ts";
import type { Unfinished } from "./run-closer.ts";
import {
  buildAnswerEntries,
  type ExternalAnswers,
  hasAnswers,
  openQuestions,
  storeAnswers,
} from "./session-answers.ts";
import type { SessionHost } from "./session-host.ts";
import type { ReplacedMessage, SessionConfig, SessionRuns } from "./session-runs.ts";

/**
 * What a message does while a run is going: it is refused with `SessionRunningError`; it steers the run, whose result is given then; it
 * waits until the run is over; or it stops the run first.
 */
export type WhileRunning = "refuse" | "steer" | "wait" | "replace";

/** What a caller brings: some of a message, approvals and outcomes. */
export interface NextInput<Options> {
  readonly message: readonly Content[] | undefined;
  /** The message of the conversation whose place this one takes; without a message, that one is sent once more. Never steers. */
  readonly replaces: ReplacedMessage | undefined;
  readonly answers: ExternalAnswers;
  readonly whileRunning: WhileRunning;
  readonly unfinished: Unfinished;
  readonly keepInterrupted: boolean;
  readonly anyLoopVersion: boolean;
  readonly runId: string;
  /** Of a new run. */
  readonly metadata: JsonObject | undefined;
  readonly options: Options;
  readonly signal: AbortSignal | undefined;
}

/** Decides what a session does next: begin a run, resume one, follow one that is going, or give the last result once more. */
export class NextRun<Options> {
  readonly #runs: SessionRuns<Options>;
  readonly #host: SessionHost<Options>;
  readonly #config: SessionConfig;

  constructor(runs: SessionRuns<Options>, host: SessionHost<Options>, config: SessionConfig) {
    this.#runs = runs;
    this.#host = host;
    this.#config = config;
  }

  /** A message, or one that is sent once more, whatever state the session is in. */
  send(input: NextInput<Options>, emitters: RunEmitters | undefined): RunningLoop {
    const stored: Stored = {};
    return this.#decided(input, async (signal) => {
      if (input.whileRunning === "refuse" && input.unfinished !== "steer") return this.#begin(input, emitters, signal);
      const running = await this.#runs.settle("known", signal);
      return running === undefined
        ? this.#beginOn(stored, input, emitters, signal)
        : await this.#whileRunning(stored, input, running, emitters, signal);
    });
  }

  /** What fits the session's state and what the caller brings. */
  continue(input: NextInput<Options>, emitters: RunEmitters | undefined): RunningLoop {
    const stored: Stored = {};
    return this.#decided(
      input,
      async (signal) => {
        const running = await this.#runs.settle("known", signal);
        const { view } = this.#runs.log;
        const { runId } = input;
        const answers = stored.answers === true ? NO_ANSWERS : input.answers;
        // A message that was sent before under this id is not sent again.
        const wasSaid = view.steerOf(runId) !== undefined;
        const isNew = hasMessage(input) && !view.runIds.has(runId);
        if (running !== undefined) {
          if (isNew && !wasSaid && input.whileRunning === "refuse")
            throw new SessionRunningError(this.#runs.log.id, running);
          if (hasAnswers(answers)) await this.answer(answers);
          stored.answers = true;
          return isNew && !wasSaid
            ? await this.#whileRunning(stored, input, running, emitters, signal)
            : this.#follow(input, running, emitters, signal);
        }
        const isOld = view.runIds.has(runId) && view.run?.entry.runId !== runId;
        if (isOld && !hasAnswers(answers)) return this.#recall(input, runId, emitters);
        if (!isNew) return this.#withoutMessage({ ...input, answers }, emitters, signal);
        if (wasSaid) stored.message = true;
        return hasAnswers(answers)
          ? this.#resume({ ...input, answers }, emitters, signal)
          : await this.#beginOn(stored, input, emitters, signal);
      },
      { isIdempotent: true },
    );
  }

  /** Stores answers to what the last run waits for; see {@link storeAnswers}. */
  async answer(answers: ExternalAnswers): Promise<void> {
    await storeAnswers(this.#runs.log, answers, (call, args) => this.#host.findArgumentProblem(call, args, undefined));
  }

  /**
   * Stores a steering message, unless there is one with the same id.
   *
   * @returns The id of the run that reads it, or has read it; `undefined` when the next one will.
   */
  async steer(contents: readonly Content[], id: string | undefined): Promise<string | undefined> {
    const { log } = this.#runs;
    await log.refresh();
    await log.append({}, (view) => {
      if (id !== undefined && view.isSaid(id)) return [];
      this.#runs.checkRoom(contents);
      return [{ type: "steer", contents, id }];
    });
    // It began a run meanwhile.
    if (id !== undefined && log.view.runIds.has(id)) return id;
    const { state } = await this.#runs.look();
    const { run, steeringCursor } = log.view;
    const said = id === undefined ? undefined : log.view.steerOf(id);
    if (said !== undefined && said.position < steeringCursor) return run?.entry.runId;
    return state === "held" && run !== undefined && run.end === undefined ? run.entry.runId : undefined;
  }

  #withoutMessage(input: NextInput<Options>, emitters: RunEmitters | undefined, signal: AbortSignal): RunningLoop {
    const { view, id } = this.#runs.log;
    const { run } = view;
    const wasSteered = view.steersAfter(view.steeringCursor).length > 0;
    if (run === undefined) {
      if (wasSteered) {
        // Rejects any answer: what was asked was taken back.
        buildAnswerEntries(id, view, input.answers);
        return this.#begin({ ...input, message: [] }, emitters, signal);
      }
      throw new NothingToResumeError(id, "it has no run to resume; send a message first");
    }
    const answered = hasAnswers(input.answers);
    const waits = (run.end?.pending ?? []).length > 0 && !answered;
    const canResume = run.end === undefined || isResumable(run.end);
    if ((canResume && !waits) || answered) return this.#resume(input, emitters, signal);
    // A message that was sent before asks for the result of its own run.
    if (wasSteered && !waits && !hasMessage(input)) return this.#begin({ ...input, message: [] }, emitters, signal);
    return this.#recall(input, run.entry.runId, emitters);
  }

  /**
   * A run on a message; on the steering messages when it was stored as one. A run that has read it meanwhile gives its result, and
   * so does one that waits and is to read it once it was answered.
   */
  async #beginOn(
    stored: Stored,
    input: NextInput<Options>,
    emitters: RunEmitters | undefined,
    signal: AbortSignal,
  ): Promise<RunningLoop> {
    const waiting =
      input.unfinished === "steer" && input.replaces === undefined ? await this.#sayToWaiting(input) : undefined;
    if (waiting !== undefined) return this.#recall(input, waiting, emitters);
    if (stored.message !== true) return this.#begin(input, emitters, signal);
    const { view } = this.#runs.log;
    const { run } = view;
    const isHeard = view.steersAfter(view.steeringCursor).length === 0;
    // What is stored is not refused any more: the run that is not to be closed reads it.
    const isKept =
      input.unfinished === "refuse" && run !== undefined && (run.end === undefined || openQuestions(run).length > 0);
    return (isHeard || isKept) && run !== undefined
      ? this.#follow(input, run.entry.runId, emitters, signal)
      : this.#begin({ ...input, message: [] }, emitters, signal);
  }

  /** Says a message to the last run if it waits for an answer. @returns Its id. */
  async #sayToWaiting({ message = [], runId: id }: NextInput<Options>): Promise<string | undefined> {
    const { log } = this.#runs;
    await log.refresh();
    let waiting: string | undefined;
    await log.append({}, (view) => {
      const { run } = view;
      waiting = run?.end !== undefined && openQuestions(run).length > 0 ? run.entry.runId : undefined;
      return waiting === undefined || view.isSaid(id) ? [] : [{ type: "steer", contents: message, id }];
    });
    return waiting;
  }

  async #whileRunning(
    stored: Stored,
    input: NextInput<Options>,
    running: string,
    emitters: RunEmitters | undefined,
    signal: AbortSignal,
  ): Promise<RunningLoop> {
    switch (input.whileRunning) {
      case "refuse":
        throw new SessionRunningError(this.#runs.log.id, running);
      case "steer": {
        // Decided on once more, it is stored.
        const heardBy = stored.message === true ? running : await this.steer(input.message ?? [], input.runId);
        stored.message = true;
        return heardBy === undefined
          ? await this.#beginOn(stored, input, emitters, signal)
          : this.#follow(input, heardBy, emitters, signal);
      }
      case "replace":
        await this.#runs.stop(signal);
        return await this.#beginOn(stored, input, emitters, signal);
      case "wait":
        await this.#runs.settle("over", signal);
        return await this.#beginOn(stored, input, emitters, signal);
    }
  }

  #begin(input: NextInput<Options>, emitters: RunEmitters | undefined, signal: AbortSignal): RunningLoop {
    const { message, ...rest } = input;
    return this.#runs.begin({ ...rest, input: message, emitters, signal });
  }

  #resume(input: NextInput<Options>, emitters: RunEmitters | undefined, signal: AbortSignal): RunningLoop {
    const { answers, anyLoopVersion, options, message, runId: id } = input;
    const steering = message === undefined ? undefined : { id, contents: message };
    return this.#runs.resume({ answers, steering, anyLoopVersion, options, emitters, signal });
  }

  #recall({ options }: NextInput<Options>, runId: string, emitters: RunEmitters | undefined): RunningLoop {
    const { id, store, view } = this.#runs.log;
    const session = { id, store, host: this.#host, bounds: this.#config, length: view.length };
    return recallRun(session, runId, { options, emitters });
  }

  /** A run of another process or object: its result once it is over, and then its events. One that dies meanwhile is resumed. */
  #follow(
    input: NextInput<Options>,
    runId: string,
    emitters: RunEmitters | undefined,
    signal: AbortSignal,
  ): RunningLoop {
    return deferredLoop(async () => {
      const { log } = this.#runs;
      return await lookUntil(log.store, log.id, [signal], async () => {
        const found = await this.#runs.look();
        const { run } = log.view;
        if (run?.entry.runId !== runId || run.end !== undefined) return { found: this.#recall(input, runId, emitters) };
        if (found.state === "held") return { againInMs: found.leftMs };
        // A run of this object that renews its lease too late is not over for that.
        if (await this.#runs.endOfOwn(signal)) return { againInMs: 0 };
        return { found: this.#resume({ ...input, message: undefined, answers: NO_ANSWERS }, emitters, signal) };
      });
    });
  }

  /** A run that is decided on when it is read. Where another process was faster, and the caller would wait for it, once more. */
  #decided(
    input: NextInput<Options>,
    decide: (signal: AbortSignal) => Promise<RunningLoop>,
    { isIdempotent = false }: { readonly isIdempotent?: boolean } = {},
  ): RunningLoop {
    const left = new AbortController();
    const signals = [input.signal, left.signal, this.#runs.released];
    const signal = AbortSignal.any(signals.filter((one) => one !== undefined));
    return deferredLoop(
      () => decide(signal),
      () => left.abort(new DOMException("the reader left before the run began", "AbortError")),
      (error) =>
        (isIdempotent && error instanceof RunIdTakenError) ||
        (error instanceof SessionRunningError && (input.whileRunning !== "refuse" || !hasMessage(input))),
    );
  }
}

function hasMessage({ message, replaces }: NextInput<unknown>): boolean {
  return message !== undefined || replaces !== undefined;
}

/** What of a caller's input is in the log already, however often it is decided what to do with it. */
interface Stored {
  /** As a steering message. */
  message?: true;
  answers?: true;
}

const NO_ANSWERS: ExternalAnswers = { approvals: {}, outcomes: {} };

/** A loop that is chosen when it is run. */
function deferredLoop(
  choose: () => Promise<RunningLoop>,
  onRelease: () => void = () => {},
  again: (error: unknown) => boolean = () => false,
): RunningLoop {
  let chosen: RunningLoop | undefined;
  let released = false;
  return {
    run: async () => {
      for (;;) {
        try {
          chosen = await choose();
          if (released) chosen.release();
          return await chosen.run();
        } catch (error) {
          if (released || !again(error)) throw error;
          chosen?.release();
        }
      }
    },
    soFar: () => chosen?.soFar() ?? NOTHING_YET,
    cancelCall: (callId) => chosen?.cancelCall(callId) ?? false,
    release: () => {
      released = true;
      onRelease();
      chosen?.release();
    },
  };
}
