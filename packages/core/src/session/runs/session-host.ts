import type { Steering, Steps } from "../../durable/steps.ts";
import type { Logger } from "../../logging/logger.ts";
import type { Compaction } from "../../loop/turn/compaction.ts";
import type { Emit, RunEvent } from "../../loop/events.ts";
import type { PartialAnswer } from "../../loop/turn/partial-answer.ts";
import type { Limits, Spent } from "../../loop/limits.ts";
import type { BeforeEnd } from "../../loop/loop-input.ts";
import type { RunResult, RunSoFar } from "../../loop/result.ts";
import type { Within } from "../../loop/observers/callers-context.ts";
import type { RunEmitters } from "../../loop/run-stream.ts";
import type { Model } from "../../model/model.ts";
import type { HistoryOrigin } from "../../model/history/import-history.ts";
import type { Content, FunctionCall, JsonObject } from "../../wire/types/content.ts";
import type { InterruptedAnswer } from "../log/entries.ts";

/** A run of the loop that was opened for a session. */
export interface OpenedRun {
  /** Makes the run, to its end. Called once. */
  run(): Promise<RunResult<unknown>>;
  soFar(): RunSoFar;
  spent(): Spent;
  /** How many contents there were before it. */
  readonly historyLength: number;
  /** The answer that is under way, as far as it is known. */
  partial(): PartialAnswer;
  /** W3C `traceparent` of the run, once it is known. */
  traceparent(): string | undefined;
  /** True when its own signal was aborted. */
  aborted(): boolean;
  /** Cancels a call that runs in this process. @returns False when there is none with that id. */
  cancelCall(callId: string): boolean;
  /** Ends what is under way; the run rejects with the reason. */
  abort(reason: unknown): void;
  /** Aborts what is under way and frees what the run holds. */
  release(): void;
}

/** How a session opens a run. */
export type SessionRunMode = "begin" | "resume" | "read";

/** What a session decides about a run; all else is in the run's options. */
export interface SessionRun<Options> {
  readonly options: Options;
  readonly sessionId: string;
  readonly runId: string;
  /** What the caller said about the run when it began. */
  readonly metadata: JsonObject | undefined;
  /** Whether it begins, goes on, or is only read again from its log: then nobody observes it. */
  readonly mode: SessionRunMode;
  readonly contents: readonly Content[];
  /** How many of the contents were there before this run. */
  readonly historyLength: number;
  /** What is sent in place of the oldest contents. */
  readonly compaction: Compaction | undefined;
  /** Identity under which contents already sent are remembered. */
  readonly conversation: object;
  /** Where its events go; absent when nobody watches. */
  readonly emitters: RunEmitters | undefined;
  /** Called with the result before the run reports its end. */
  readonly beforeEnd?: BeforeEnd | undefined;
  readonly steps: (run: {
    readonly runId: string;
    readonly signal: AbortSignal;
    readonly emit: Emit | undefined;
  }) => Steps<RunEvent>;
  /** Of a run that is only read again: the answer it ended in the middle of. */
  readonly interrupted?: Pick<InterruptedAnswer, "step" | "parts"> | undefined;
  /** Of a run that is resumed: the `traceparent` under which it was last executed, if it is known. */
  readonly resumedFrom?: string | undefined;
  /** Called whenever more of an answer is known. */
  readonly onPartial?: ((partial: PartialAnswer) => void) | undefined;
  readonly steering: Steering;
  readonly steeringCursor: number;
  /** Limits over all runs of the session. */
  readonly limits: SessionLimits | undefined;
  /** What the runs before this one have used of them. */
  readonly spentBefore: Spent;
}

/** Bounds of all runs of a session together. */
export type SessionLimits = Omit<Limits, "wallTimeMs">;

/** What a session needs of its agent. */
export interface SessionHost<Options> {
  readonly model: Model;
  readonly origin: HistoryOrigin;
  /** Its name. */
  readonly agent: string;
  readonly logger: Logger;
  /** @throws {ConfigurationError} When the options cannot work; before anything is written. */
  check(options: Options): void;
  /**
   * What is wrong with a call's arguments, in short; `undefined` when they fit, or when the tool is not known here.
   *
   * @param run - Absent when no run is about to begin: then only tools that need none are known.
   */
  findArgumentProblem(
    call: FunctionCall,
    args: JsonObject,
    run: { readonly options: Options; readonly runId: string; readonly sessionId: string } | undefined,
  ): Promise<string | undefined>;
  /** Whether a run with these options checks its message before it becomes part of the history. */
  checksInput(options: Options): boolean;
  open(run: SessionRun<Options>): OpenedRun;
  /** The context of whoever requests a run now; absent if nobody wants to know. */
  callersContext(): Within | undefined;
}
