import { NOTHING_YET, type RunResult } from "../../loop/result.ts";
import type { RunningLoop } from "../../loop/run-stream.ts";
import type { ReadSource } from "../../tool/reads.ts";
import type { Content, JsonObject } from "../../wire/types/content.ts";
import type { Unfinished } from "./close-last.ts";
import type { Answers } from "./session-answers.ts";
import type { OpenedRecord, RunReading } from "./session-host.ts";

/**
 * What a message does while a run is going: `"refuse"`: it is refused with `SessionRunningError`; `"steer"`: it steers the run, whose
 * result is given then; `"wait"`: it waits until the run is over; `"replace"`: it stops the run first.
 */
export type WhileRunning = "refuse" | "steer" | "wait" | "replace";

/** What a caller brings: some of a message, approvals and outcomes; and where the events of the run go. */
export interface RunRequest<Options> extends RunReading<Options> {
  /** Absent: the message of {@link replaces}, if any. */
  readonly message: readonly Content[] | undefined;
  /** What that brings into the history; absent for nothing. */
  readonly read: readonly ReadSource[] | undefined;
  /**
   * Taken back first, with all that followed; without an id, the last one that began a run. Without a message, that one is sent once
   * more. Never steers.
   */
  readonly replaces: { readonly messageId: string | undefined } | undefined;
  readonly answers: Answers;
  readonly whileRunning: WhileRunning;
  readonly unfinished: Unfinished;
  readonly keepInterrupted: boolean;
  readonly anyLoopVersion: boolean;
  /** Of a new run, and of its message. */
  readonly runId: string;
  readonly metadata: JsonObject | undefined;
  readonly signal: AbortSignal | undefined;
}

/** A request that somebody reads; decided on more than once where others are faster. */
export interface DecidedRequest<Options> extends RunRequest<Options> {
  readonly reader: RunReader;
  /** Ends waiting for others, also when the reader leaves. */
  readonly signal: AbortSignal;
  /** What of it is in the log already: its message as one that steers, its answers. */
  readonly stored: { message?: true; answers?: true };
}

export interface RunReader {
  opened?: OpenedRecord | undefined;
  readonly left: AbortSignal;
}

/** A run that is made when it is read. */
export function readRun(make: (reader: RunReader) => Promise<RunResult<unknown>>): RunningLoop {
  const left = new AbortController();
  const reader: RunReader = { left: left.signal };
  return {
    run: () => make(reader),
    soFar: () => reader.opened?.soFar() ?? NOTHING_YET,
    cancelCall: (callId) => reader.opened?.cancelCall(callId) ?? false,
    release: () => {
      left.abort(new DOMException("the reader left before the run began", "AbortError"));
      reader.opened?.release();
    },
  };
}
