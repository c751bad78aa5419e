import { NOTHING_YET, type RunResult } from "../../loop/result.ts";
import type { RunningLoop } from "../../loop/run-stream.ts";
import type { Content, JsonObject } from "../../wire/types/content.ts";
import type { OpenedRecord, RunReading } from "./record-opener.ts";
import type { Unfinished } from "./run-closer.ts";
import type { ExternalAnswers } from "./session-answers.ts";

/**
 * What a message does while a run is going: it is refused with `SessionRunningError`; it steers the run, whose result is given then; it
 * waits until the run is over; or it stops the run first.
 */
export type WhileRunning = "refuse" | "steer" | "wait" | "replace";

/** What a caller brings: some of a message, approvals and outcomes. */
export interface NextInput<Options> {
  /** Absent: the message of {@link replaces}, if any. */
  readonly message: readonly Content[] | undefined;
  /** Taken back first, with all that followed. Without a message, that one is sent once more. Never steers. */
  readonly replaces: ReplacedMessage | undefined;
  readonly answers: ExternalAnswers;
  readonly whileRunning: WhileRunning;
  readonly unfinished: Unfinished;
  readonly keepInterrupted: boolean;
  readonly anyLoopVersion: boolean;
  /** Of a new run, and of its message. */
  readonly runId: string;
  readonly metadata: JsonObject | undefined;
  readonly options: Options;
  readonly signal: AbortSignal | undefined;
}

/** What a caller brings, and where the events of the run go. */
export interface RunRequest<Options> extends NextInput<Options>, RunReading<Options> {}

/** A request that is decided on, more than once where others are faster. */
export interface DecidedRequest<Options> extends RunRequest<Options>, ReadRequest<Options> {
  readonly signal: AbortSignal;
  /** What of it is in the log already: its message as one that steers, its answers. */
  readonly stored: { message?: true; answers?: true };
}

/** A message of the conversation; without an id, the last one that began a run. */
export interface ReplacedMessage {
  readonly messageId: string | undefined;
}

export interface RunReader {
  opened?: OpenedRecord | undefined;
  readonly left: AbortSignal;
}

/** A run that somebody reads. */
export interface ReadRequest<Options> extends RunReading<Options> {
  readonly reader: RunReader;
  /** Ends waiting for others, also when the reader leaves. */
  readonly signal: AbortSignal;
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
