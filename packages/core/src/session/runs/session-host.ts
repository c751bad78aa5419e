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
 * Answers to questions by token: the `token` of a call in `pending` or in the conversation. An answer is for the question that was shown:
 * a question of another run, or about other arguments, has another token.
 */
export interface Answers {
  /** Decisions on calls that require approval: `true` runs the call, `false` or `{ deny }` refuses it. */
  readonly approvals?: { readonly [token: string]: Approval } | undefined;
  /** Outcomes of calls that were executed elsewhere. */
  readonly outcomes?: { readonly [token: string]: ExternalOutcome } | undefined;
  /** The person who answers, as the application names them; kept in the log. @defaultValue unknown */
  readonly by?: string | undefined;
}

export function hasAnswers({ approvals = {}, outcomes = {} }: Answers): boolean {
  return Object.keys(approvals).length + Object.keys(outcomes).length > 0;
}

/** A run of the loop that was opened for a session. */
export interface OpenedRun extends RunningLoop {
  /** Its progress; only the loop changes it. */
  readonly state: RunState;
  traceparent(): string | undefined;
  /** True when its own signal was aborted. */
  aborted(): boolean;
  /** Ends the run, which rejects with the reason. */
  abort(reason: unknown): void;
}

/** A run, and its turns that are not in the log. */
export interface OpenedRecord extends OpenedRun {
  unwritten(): {
    readonly closed: readonly NewEntry[];
    readonly open: readonly TurnRecord[];
  };
}

/** What a session decides about a run; the rest is in the run's options. */
export interface SessionRun<Options>
  extends
    Pick<RunEntry, "runId" | "metadata">,
    Pick<RunRecord, "steeringCursor">,
    Pick<LoopInput, "historyLength" | "conversation" | "beforeEnd" | "session" | "ownerBudget"> {
  readonly options: Options;
  readonly sessionId: string;
  /** Whether it begins, resumes, or is only read from its log, without observers. */
  readonly mode: "begin" | "resume" | "read";
  readonly contents: readonly Content[];
  /** Its closed turns, whose contents are not among {@link SessionRun.contents}: it continues after them. */
  readonly turns?: readonly ClosedTurn[] | undefined;
  /** Usage of broken answers, for each time that it failed. */
  readonly lost?: readonly LostUsage[] | undefined;
  readonly compaction: Compaction | undefined;
  /** What the model had read before the run, and what its message brings. */
  readonly read: readonly ReadSource[];
  /** Version of the loop that began it. */
  readonly loop: number;
  /** Where its events go; absent without a reader. */
  readonly emitters: RunEmitters | undefined;
  readonly steps: StepsFactory;
  /** For a run that is only read: the answer that was unfinished when it ended. */
  readonly interrupted?: Pick<Draft, "place" | "attempt" | "parts" | "guarded"> | undefined;
  /** Whether guardrails check its message before it is part of the contents. */
  readonly checksInput: boolean;
  /** For a resumed run: how its answer was typed when it began. */
  readonly output?: RunEntry["output"];
  /** For a resumed run: the `traceparent` under which it was last executed, if known. */
  readonly resumedFrom?: string | undefined;
  readonly onPartial?: ((partial: PartialResponse) => void) | undefined;
  readonly steering: Steering;
}

/** How a run is read: its options, and where its events go. */
export type RunReading<Options> = Pick<SessionRun<Options>, "options" | "emitters">;

/** Makes the steps of one run. `emit` receives live events; absent without a reader. */
export type StepsFactory = (run: PassThroughOptions<RunEvent>) => Steps<RunEvent>;

/** A run of a session that has ended with a result. */
export type RecalledRun<Options> = RecordedRun &
  Pick<
    SessionRun<Options>,
    "options" | "sessionId" | "runId" | "metadata" | "contents" | "historyLength" | "compaction" | "read" | "emitters"
  >;

/** Bounds of all runs of a session together. */
export type SessionLimits = Omit<Limits, "wallTimeMs">;

/** The bounds of a session's runs. */
export interface SessionBounds {
  readonly limits: SessionLimits | undefined;
  readonly ownerBudget: AskOwnerBudget | undefined;
}

export interface SessionConfig extends SessionBounds {
  /** The contents that it begins with; written with its first run. */
  readonly history?: readonly Content[] | undefined;
  /** What the history brings; absent: what its parts bring. */
  readonly historyReads?: Reads | undefined;
  /** The application's description; written with the next run if it has changed. */
  readonly about?: SessionAbout | undefined;
  /** @defaultValue 15_000 */
  readonly leaseMs?: number | undefined;
}

/** An application's description of a session, for lists. */
export interface SessionAbout {
  /** Shown in lists. @defaultValue the first words of the first message */
  readonly title?: string | undefined;
  /** The person that the session belongs to: lists and `deleteSessions` can filter by it. */
  readonly owner?: string | undefined;
  /** Anything else that lists filter by. */
  readonly metadata?: { readonly [name: string]: string } | undefined;
}

/** What a session needs from its agent. */
export interface SessionHost<Options> {
  readonly model: Model;
  readonly origin: HistoryOrigin;
  readonly agent: string;
  readonly logger: Logger;
  /** The host of an agent that may have taken the session over; this host for a name that it cannot hand over to. */
  lead(agent: string): SessionHost<Options>;
  /** @throws {ConfigurationError} When it has no prices of its own, or none for its model. */
  requirePrices(limit: string): void;
  /** @throws {ConfigurationError} When the options cannot work; before anything is written. */
  check(options: Options): void;
  /** A tool by name, and the context of its run; undefined if unknown. Without a run, only tools that need none are known. */
  findTool(
    name: string,
    run: Pick<SessionRun<Options>, "options" | "runId" | "sessionId"> | undefined,
  ): { readonly tool: Tool; readonly context: unknown } | undefined;
  /** The members of a new run's entry that depend on its options. */
  describe(options: Options, run: Omit<RunIdentity, "agent">): Pick<RunEntry, "guarded" | "output">;
  /** What output guardrails keep of an interrupted answer: nothing if one fails or takes too long. Never rejects. */
  checkPartial(
    partial: readonly Part[],
    run: Pick<SessionRun<Options>, "options" | "runId" | "sessionId" | "metadata"> & { readonly turn: number },
  ): Promise<CheckedPartial>;
  open(run: SessionRun<Options>): OpenedRun;
  recall(run: RecalledRun<Options>): Promise<RunResult<unknown>>;
  /** The context of the current caller; undefined if no observer captures it. */
  callersContext(): Within | undefined;
}

/**
 * What a message does while a run is in progress: `"refuse"`: it is refused with `SessionRunningError`; `"steer"`: it steers the run, and
 * the result is that run's; `"wait"`: it waits until the run is over; `"replace"`: it stops the run first.
 */
export type WhileRunning = "refuse" | "steer" | "wait" | "replace";

/** What a message does to a last run that was cut off or waits for an answer; `steer` closes one that was cut off. */
export type Unfinished = "close" | "refuse" | "steer";

/** A caller's request: a message, approvals or outcomes, and where the events of the run go. */
export interface RunRequest<Options> extends RunReading<Options> {
  /** Absent: the message of {@link replaces}, if any. */
  readonly message: readonly Content[] | undefined;
  /** What the message brings into the history; absent for nothing. */
  readonly read: readonly ReadSource[] | undefined;
  /**
   * The message to take back first, with everything after it; without an id, the last one that began a run. Without a new message, it is
   * sent again. Never steers.
   */
  readonly replaces: { readonly messageId: string | undefined } | undefined;
  readonly answers: Answers;
  readonly whileRunning: WhileRunning;
  readonly unfinished: Unfinished;
  readonly keepInterrupted: boolean;
  readonly anyLoopVersion: boolean;
  /** Id of a new run, and of its message. */
  readonly runId: string;
  readonly metadata: JsonObject | undefined;
  readonly signal: AbortSignal | undefined;
}

/** A request whose stream is being read; decided again when another process is faster. */
export interface DecidedRequest<Options> extends RunRequest<Options> {
  readonly reader: RunReader;
  /** Ends waits for other runs; also aborts when the reader leaves. */
  readonly signal: AbortSignal;
  /** The parts that are in the log already: its message, as steering, and its answers. */
  readonly stored: { message?: true; answers?: true };
}

export interface RunReader<Opened extends RunningLoop = OpenedRecord> {
  opened?: Opened | undefined;
  readonly left: AbortSignal;
}

/** State of a session. */
export interface SessionState extends EndedRuns {
  /**
   * How the last run of the conversation ended. `"running"` while it is in progress, or may be: a lease that is no longer renewed is
   * known to be abandoned only once it has expired. `"cut-off"` when its process died; `undefined` when there was none, or after a
   * rewind.
   */
  readonly lastRun: EndReason | "running" | "cut-off" | undefined;
  /** Whether `Session.resume` can continue the last run. */
  readonly resumable: boolean;
  /** Calls the last run waits for, also while it is still busy with others. */
  readonly pending: readonly PendingCall[];
}
