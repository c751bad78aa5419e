import type { ClosedTurn, LostUsage } from "../../durable/closed-turn.ts";
import type { PassThroughOptions } from "../../durable/journal.ts";
import type { Steering, Steps } from "../../durable/steps.ts";
import type { Logger } from "../../logging/logger.ts";
import type { Compaction } from "../../loop/turn/compaction.ts";
import type { RunEvent } from "../../loop/events.ts";
import type { CheckedPartial } from "../../loop/turn/check-partial.ts";
import type { PartialResponse } from "../../loop/turn/partial-answer.ts";
import type { AskOwnerBudget, Limits } from "../../loop/limits.ts";
import type { LoopInput } from "../../loop/loop-input.ts";
import type { RecordedRun } from "../../loop/recall-run.ts";
import type { RunResult } from "../../loop/result.ts";
import type { RunState } from "../../loop/run-state.ts";
import type { Within } from "../../loop/observers/observer.ts";
import type { Reads, ReadSource } from "../../tool/reads.ts";
import type { RunIdentity } from "../../tool/run-context.ts";
import type { Approval, ExternalOutcome, PendingCall, Tool } from "../../tool/tool.ts";
import type { RunEmitters, RunningLoop } from "../../loop/run-stream.ts";
import type { Model } from "../../model/model.ts";
import type { HistoryOrigin } from "../../model/history/import-history.ts";
import type { Content, JsonObject, Part } from "../../wire/types/content.ts";
import type { RunEntry } from "../log/entries.ts";
import type { RunRecord } from "../log/run-record.ts";
import type { NewEntry } from "../log/session-log.ts";
import type { TurnRecord } from "../log/turn-record.ts";
import type { EndedRuns } from "../store/session-info.ts";
import type { Draft, EndReason } from "../store/store.ts";

/**
 * Answers to questions, by their tokens: `token` of the calls in `pending`, or of the conversation's. An answer is for what was shown: a
 * question of another run, or about other arguments, has another token.
 */
export interface Answers {
  /** Decisions on calls that require approval: `true` runs the call, `false` or `{ deny }` refuses it. */
  readonly approvals?: { readonly [token: string]: Approval } | undefined;
  /** Outcomes of calls that were executed elsewhere. */
  readonly outcomes?: { readonly [token: string]: ExternalOutcome } | undefined;
  /** Who answers, as the application names them; kept in the log. @defaultValue unknown */
  readonly by?: string | undefined;
}

export function hasAnswers({ approvals = {}, outcomes = {} }: Answers): boolean {
  return Object.keys(approvals).length + Object.keys(outcomes).length > 0;
}

/** A run of the loop that was opened for a session. */
export interface OpenedRun extends RunningLoop {
  /** Its progress, to be read: only the loop changes it. */
  readonly state: RunState;
  traceparent(): string | undefined;
  /** True when its own signal was aborted. */
  aborted(): boolean;
  /** Ends what is under way; the run rejects with the reason. */
  abort(reason: unknown): void;
}

/** A run, and what of it is not in the log. */
export interface OpenedRecord extends OpenedRun {
  unwritten(): {
    readonly closed: readonly NewEntry[];
    readonly open: readonly TurnRecord[];
  };
}

/** What a session decides about a run; all else is in the run's options. */
export interface SessionRun<Options>
  extends
    Pick<RunEntry, "runId" | "metadata">,
    Pick<RunRecord, "steeringCursor">,
    Pick<LoopInput, "historyLength" | "conversation" | "beforeEnd" | "session" | "ownerBudget"> {
  readonly options: Options;
  readonly sessionId: string;
  /** Whether it begins, goes on, or is only read again from its log: then nobody observes it. */
  readonly mode: "begin" | "resume" | "read";
  readonly contents: readonly Content[];
  /** Its closed turns, whose contents are not among {@link SessionRun.contents}: it goes on after them. */
  readonly turns?: readonly ClosedTurn[] | undefined;
  /** What broken answers used, each time that it failed. */
  readonly lost?: readonly LostUsage[] | undefined;
  readonly compaction: Compaction | undefined;
  /** What the model had read before the run, and what its message brings. */
  readonly read: readonly ReadSource[];
  /** Version of the loop that began it. */
  readonly loop: number;
  /** Where its events go; absent when nobody watches. */
  readonly emitters: RunEmitters | undefined;
  readonly steps: StepsFactory;
  /** Of a run that is only read again: the answer it ended in the middle of. */
  readonly interrupted?: Pick<Draft, "place" | "attempt" | "parts" | "guarded"> | undefined;
  /** Whether guardrails check its message before it is part of the contents. */
  readonly checksInput: boolean;
  /** How the answer of a run that is resumed was to be typed when it began. */
  readonly output?: RunEntry["output"];
  /** Of a run that is resumed: the `traceparent` under which it was last executed, if it is known. */
  readonly resumedFrom?: string | undefined;
  readonly onPartial?: ((partial: PartialResponse) => void) | undefined;
  readonly steering: Steering;
}

/** How a run is read: with what options, and where its events go. */
export type RunReading<Options> = Pick<SessionRun<Options>, "options" | "emitters">;

/** Makes the steps of one run. `emit` receives live events; absent when nobody reads them. */
export type StepsFactory = (run: PassThroughOptions<RunEvent>) => Steps<RunEvent>;

/** A run of a session that has ended with a result. */
export type RecalledRun<Options> = RecordedRun &
  Pick<
    SessionRun<Options>,
    "options" | "sessionId" | "runId" | "metadata" | "contents" | "historyLength" | "compaction" | "read" | "emitters"
  >;

/** Bounds of all runs of a session together. */
export type SessionLimits = Omit<Limits, "wallTimeMs">;

/** What bounds a session's runs. */
export interface SessionBounds {
  readonly limits: SessionLimits | undefined;
  readonly ownerBudget: AskOwnerBudget | undefined;
}

export interface SessionConfig extends SessionBounds {
  /** What it begins with; written with its first run. */
  readonly history?: readonly Content[] | undefined;
  /** What that brings; absent: by what is in it. */
  readonly historyReads?: Reads | undefined;
  /** What the application says about it; written with its next run when that is new. */
  readonly about?: SessionAbout | undefined;
  /** @defaultValue 15_000 */
  readonly leaseMs?: number | undefined;
}

/** What an application says about a session, for its lists. */
export interface SessionAbout {
  /** Shown in lists. @defaultValue the first words of the first message */
  readonly title?: string | undefined;
  /** Whose session it is: lists and `deleteSessions` can go by it. */
  readonly owner?: string | undefined;
  /** Anything else that lists go by. */
  readonly metadata?: { readonly [name: string]: string } | undefined;
}

/** What a session needs of its agent. */
export interface SessionHost<Options> {
  readonly model: Model;
  readonly origin: HistoryOrigin;
  readonly agent: string;
  readonly logger: Logger;
  /** The host of an agent that may have taken the session over; this one for a name that it cannot hand over to. */
  lead(agent: string): SessionHost<Options>;
  /** @throws {ConfigurationError} When it has no prices of its own, or none for its model. */
  requirePrices(limit: string): void;
  /** @throws {ConfigurationError} When the options cannot work; before anything is written. */
  check(options: Options): void;
  /** A tool by its name, and the context of its run, if it is known: without a run, only one that needs none is. */
  findTool(
    name: string,
    run: Pick<SessionRun<Options>, "options" | "runId" | "sessionId"> | undefined,
  ): { readonly tool: Tool; readonly context: unknown } | undefined;
  /** What the entry of a run with these options has when it begins. */
  describe(options: Options, run: Omit<RunIdentity, "agent">): Pick<RunEntry, "guarded" | "output">;
  /** What output guardrails keep of an answer that broke off: nothing if one fails or takes too long. Never rejects. */
  checkPartial(
    partial: readonly Part[],
    run: Pick<SessionRun<Options>, "options" | "runId" | "sessionId" | "metadata"> & { readonly turn: number },
  ): Promise<CheckedPartial>;
  open(run: SessionRun<Options>): OpenedRun;
  recall(run: RecalledRun<Options>): Promise<RunResult<unknown>>;
  /** The context of whoever requests a run now; absent if nobody wants to know. */
  callersContext(): Within | undefined;
}

/**
 * What a message does while a run is going: `"refuse"`: it is refused with `SessionRunningError`; `"steer"`: it steers the run, whose
 * result is given then; `"wait"`: it waits until the run is over; `"replace"`: it stops the run first.
 */
export type WhileRunning = "refuse" | "steer" | "wait" | "replace";

/** What a message does with a last run that was cut off or waits for an answer; `steer` closes one that was cut off. */
export type Unfinished = "close" | "refuse" | "steer";

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

export interface RunReader<Opened extends RunningLoop = OpenedRecord> {
  opened?: Opened | undefined;
  readonly left: AbortSignal;
}

/** State of a session. */
export interface SessionState extends EndedRuns {
  /**
   * How the last run of the conversation ended. `"running"` while it is going, or may be: a lease that nobody has renewed is only
   * known to be abandoned once it has expired. `"cut-off"` when its process died; `undefined` when there was none, or after a
   * rewind.
   */
  readonly lastRun: EndReason | "running" | "cut-off" | undefined;
  /** Whether `Session.resume` can continue the last run. */
  readonly resumable: boolean;
  /** Calls the last run waits for, also while it is still busy with others. */
  readonly pending: readonly PendingCall[];
}
