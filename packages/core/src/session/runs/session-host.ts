import type { ClosedTurn, LostUsage } from "../../durable/closed-turn.ts";
import type { Steering, Steps } from "../../durable/steps.ts";
import type { Logger } from "../../logging/logger.ts";
import type { Compaction } from "../../loop/turn/compaction.ts";
import type { Emit, RunEvent } from "../../loop/events.ts";
import type { CheckedPartial } from "../../loop/turn/check-partial.ts";
import type { PartialResponse } from "../../loop/turn/partial-answer.ts";
import type { AskOwnerBudget, Limits, Spent } from "../../loop/limits.ts";
import type { LoopInput } from "../../loop/loop-input.ts";
import type { RecordedRun } from "../../loop/recall-run.ts";
import type { RunResult } from "../../loop/result.ts";
import type { Within } from "../../loop/observers/find-observers.ts";
import type { RunIdentity } from "../../tool/run-context.ts";
import type { RunEmitters, RunningLoop } from "../../loop/run-stream.ts";
import type { Model } from "../../model/model.ts";
import type { HistoryOrigin } from "../../model/history/import-history.ts";
import type { Content, FunctionCall, JsonObject, Part } from "../../wire/types/content.ts";
import type { RunEntry } from "../log/entries.ts";
import type { RunRecord } from "../log/run-record.ts";
import type { Draft } from "../store/records.ts";

/** A run of the loop that was opened for a session. */
export interface OpenedRun extends RunningLoop {
  spent(): Spent;
  /** The turns that have begun and are not closed, as they would be if the run ended now; usually one. */
  openTurns(): readonly ClosedTurn[];
  /** What broken answers used, if that failed the run in this process. */
  lost(): LostUsage | undefined;
  /** The answer that is under way, as far as it is known. */
  partial(): PartialResponse;
  traceparent(): string | undefined;
  /** True when its own signal was aborted. */
  aborted(): boolean;
  /** Ends what is under way; the run rejects with the reason. */
  abort(reason: unknown): void;
}

/** What a session decides about a run; all else is in the run's options. */
export interface SessionRun<Options>
  extends
    Pick<RunEntry, "runId" | "metadata">,
    Pick<RunRecord, "steeringCursor" | "spentBefore">,
    Pick<LoopInput, "historyLength" | "conversation" | "beforeEnd"> {
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
  /** Where its events go; absent when nobody watches. */
  readonly emitters: RunEmitters | undefined;
  readonly steps: (run: {
    readonly runId: string;
    readonly signal: AbortSignal;
    readonly emit: Emit | undefined;
  }) => Steps<RunEvent>;
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
  readonly limits: SessionLimits | undefined;
  /** Of a run that is only read again: how the budget stood that ended it. */
  readonly ownerBudget: AskOwnerBudget | undefined;
}

/** A run of a session that has ended with a result. */
export type RecalledRun<Options> = RecordedRun &
  Pick<
    SessionRun<Options>,
    "options" | "sessionId" | "runId" | "metadata" | "contents" | "historyLength" | "compaction" | "emitters"
  >;

export type SessionBounds = Pick<SessionRun<unknown>, "limits" | "ownerBudget">;

/** Bounds of all runs of a session together. */
export type SessionLimits = Omit<Limits, "wallTimeMs">;

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
  /** What is wrong with a call's arguments, if its tool is known: without a run, only one that needs none is. */
  findArgumentProblem(
    call: FunctionCall,
    args: JsonObject,
    run: { readonly options: Options; readonly runId: string; readonly sessionId: string } | undefined,
  ): Promise<string | undefined>;
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
