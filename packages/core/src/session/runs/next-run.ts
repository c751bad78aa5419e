import { SessionConflictError } from "../../errors/run-errors.ts";
import { NothingToResumeError, RunIdTakenError, SessionRunningError } from "../../errors/session-errors.ts";
import { NOTHING_YET } from "../../loop/result.ts";
import type { RunEmitters, RunningLoop } from "../../loop/run-stream.ts";
import type { Content, JsonObject } from "../../wire/types/content.ts";
import { isResumable } from "../log/entries.ts";
import { lookUntil } from "../lease/lease.ts";
import { replayRun } from "./replay.ts";
import type { Unfinished } from "./run-closer.ts";
import { buildAnswerEntries, checkEdits, type ExternalAnswers, hasAnswers } from "./session-answers.ts";
import type { SessionHost } from "./session-host.ts";
import type { InsteadOf, SessionKeeping, SessionRuns } from "./session-runs.ts";

/**
 * What a message does while a run is going: it is refused with `SessionRunningError`; it steers the run, whose result is given then; it
 * waits until the run is over; or it stops the run first.
 */
export type WhileRunning = "refuse" | "steer" | "wait" | "replace";

/** What a caller brings: some of a message, approvals and outcomes. */
export interface NextInput<Options> {
  readonly message: readonly Content[] | undefined;
  /** The message of the conversation whose place this one takes; without a message, it is said once more. Never steers. */
  readonly insteadOf: InsteadOf | undefined;
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

/** How many answers may be refused because others answer at the same time. */
const MAX_RACES = 20;

/** Decides what a session does next: begin a run, resume one, follow one that is going, or give the last result once more. */
export class NextRun<Options> {
  readonly #runs: SessionRuns<Options>;
  readonly #host: SessionHost<Options>;
  readonly #keeping: SessionKeeping;
  /** What is being stored, by id. */
  readonly #saying: Map<string, Promise<void>> = new Map();

  constructor(runs: SessionRuns<Options>, host: SessionHost<Options>, keeping: SessionKeeping) {
    this.#runs = runs;
    this.#host = host;
    this.#keeping = keeping;
  }

  /** A message, or one that is said once more, whatever state the session is in. */
  send(input: NextInput<Options>, emitters: RunEmitters | undefined): RunningLoop {
    const stored: Stored = {};
    return this.#decided(input, async (signal) => {
      if (input.whileRunning === "refuse") return this.#begin(input, emitters, signal);
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
        if (view.runIds.has(runId) && view.run?.entry.runId !== runId) return this.#replay(input, runId, emitters);
        if (!isNew) return this.#withoutMessage({ ...input, answers }, emitters, signal);
        if (wasSaid) stored.message = true;
        return hasAnswers(answers)
          ? this.#resume({ ...input, answers }, emitters, signal)
          : this.#beginOn(stored, input, emitters, signal);
      },
      { isIdempotent: true },
    );
  }

  /**
   * Stores answers to what the last run waits for, whether it is going or not.
   *
   * @throws {UnexpectedAnswerError} For a call that waits for no such answer.
   * @throws {InvalidApprovalError} For arguments that the tool does not accept.
   */
  async answer(answers: ExternalAnswers): Promise<void> {
    const { log } = this.#runs;
    for (let races = 0; ; races++) {
      await log.refresh();
      const { run } = log.view;
      if (run === undefined) throw new NothingToResumeError(log.id, "it has no run yet");
      const entries = buildAnswerEntries(log.id, run, answers);
      await checkEdits(run, answers, (call, args) => this.#host.findArgumentProblem(call, args, undefined));
      try {
        return await log.append({ unless: "changed" }, ...entries);
      } catch (error) {
        if (!(error instanceof SessionConflictError) || races >= MAX_RACES) throw error;
      }
    }
  }

  /**
   * Stores what is said to a session, unless it was said before under the same id.
   *
   * @returns The id of the run that hears it, or has heard it; `undefined` when the next one will.
   */
  async steer(contents: readonly Content[], id: string | undefined): Promise<string | undefined> {
    const { log } = this.#runs;
    if (id === undefined) {
      await log.refresh();
      await log.append({}, { type: "steer", contents });
    } else {
      const saying = this.#saying.get(id) ?? this.#sayOnce(contents, id).finally(() => this.#saying.delete(id));
      this.#saying.set(id, saying);
      await saying;
    }
    const { state } = await this.#runs.look();
    const { run, steeringCursor } = log.view;
    const said = id === undefined ? undefined : log.view.steerOf(id);
    if (said !== undefined && said.position < steeringCursor) return run?.entry.runId;
    return state === "held" && run !== undefined && run.end === undefined ? run.entry.runId : undefined;
  }

  async #sayOnce(contents: readonly Content[], id: string): Promise<void> {
    const { log } = this.#runs;
    for (let races = 0; ; races++) {
      await log.refresh();
      if (log.view.steerOf(id) !== undefined) return;
      // Rather said twice than not at all: a process that has lost its session no longer sees what others write.
      const unless = races < MAX_RACES ? "changed" : undefined;
      try {
        return await log.append({ unless }, { type: "steer", contents, id });
      } catch (error) {
        if (!(error instanceof SessionConflictError) || unless === undefined) throw error;
      }
    }
  }

  #withoutMessage(input: NextInput<Options>, emitters: RunEmitters | undefined, signal: AbortSignal): RunningLoop {
    const { view, id } = this.#runs.log;
    const { run } = view;
    const wasSteered = view.steersAfter(view.steeringCursor).length > 0;
    if (run === undefined) {
      if (wasSteered) return this.#begin({ ...input, message: [] }, emitters, signal);
      throw new NothingToResumeError(id, "it has no run, or was taken back to before it");
    }
    const answered = hasAnswers(input.answers);
    const waits = (run.end?.pending ?? []).length > 0 && !answered;
    const canResume = run.end === undefined || isResumable(run.end);
    if ((canResume && !waits) || answered) return this.#resume(input, emitters, signal);
    if (wasSteered && !waits) return this.#begin({ ...input, message: [] }, emitters, signal);
    return this.#replay(input, run.entry.runId, emitters);
  }

  /** A run on a message; on what was said to the session when it was stored as that. A run that has heard it meanwhile is replayed. */
  #beginOn(
    stored: Stored,
    input: NextInput<Options>,
    emitters: RunEmitters | undefined,
    signal: AbortSignal,
  ): RunningLoop {
    if (stored.message !== true) return this.#begin(input, emitters, signal);
    const { view } = this.#runs.log;
    const isHeard = view.steersAfter(view.steeringCursor).length === 0;
    return isHeard && view.run !== undefined
      ? this.#replay(input, view.run.entry.runId, emitters)
      : this.#begin({ ...input, message: [] }, emitters, signal);
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
        // Decided on once more, it has been said.
        const heardBy = stored.message === true ? running : await this.steer(input.message ?? [], input.runId);
        stored.message = true;
        return heardBy === undefined
          ? this.#beginOn(stored, input, emitters, signal)
          : this.#follow(input, heardBy, emitters, signal);
      }
      case "replace":
        await this.#runs.stop(signal);
        return this.#begin(input, emitters, signal);
      case "wait":
        await this.#runs.settle("over", signal);
        return this.#begin(input, emitters, signal);
    }
  }

  #begin(input: NextInput<Options>, emitters: RunEmitters | undefined, signal: AbortSignal): RunningLoop {
    const { message, ...rest } = input;
    return this.#runs.begin({ ...rest, input: message, emitters, signal });
  }

  #resume(input: NextInput<Options>, emitters: RunEmitters | undefined, signal: AbortSignal): RunningLoop {
    const { answers, anyLoopVersion, options, message, runId: id } = input;
    const { view } = this.#runs.log;
    const isKnown = message === undefined || view.runIds.has(id) || view.steerOf(id) !== undefined;
    const steering = isKnown ? undefined : { id, contents: message };
    return this.#runs.resume({ answers, steering, anyLoopVersion, options, emitters, signal });
  }

  #replay({ options }: NextInput<Options>, runId: string, emitters: RunEmitters | undefined): RunningLoop {
    const { id, store, view } = this.#runs.log;
    const session = { id, store, host: this.#host, keeping: this.#keeping, length: view.length };
    return replayRun(session, runId, { options, emitters });
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
        if (run?.entry.runId !== runId || run.end !== undefined) return { found: this.#replay(input, runId, emitters) };
        if (found.state === "held") return { againInMs: found.leftMs };
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
    const signal = input.signal === undefined ? left.signal : AbortSignal.any([input.signal, left.signal]);
    return deferredLoop(
      () => decide(signal),
      () => left.abort(new DOMException("the reader left before the run began", "AbortError")),
      (error) =>
        (isIdempotent && error instanceof RunIdTakenError) ||
        (error instanceof SessionRunningError && (input.whileRunning !== "refuse" || !hasMessage(input))),
    );
  }
}

function hasMessage({ message, insteadOf }: NextInput<unknown>): boolean {
  return message !== undefined || insteadOf !== undefined;
}

/** What of a caller's input is in the log already, however often it is decided what to do with it. */
interface Stored {
  /** As something that was said to a run. */
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
