import type { Json } from "../internal/json.ts";
import type { ToolOutcome } from "../tool/tool.ts";

/** A call of a session, and what came of it. */
export interface RecordedCall {
  readonly runId: string;
  readonly turn: number;
  readonly callId: string;
  readonly name: string;
  readonly args: unknown;
  /** The `response` of its function response: an object with `output` or `error`. Absent where there was none. */
  readonly response?: unknown;
  /** What the turn's `route` step said to do with it; absent in a turn without one. */
  readonly route?: string | undefined;
}

/** All calls of a log, oldest first; only those of one run with its id. */
export declare function recordedCalls(log: readonly Json[], runId?: string): readonly RecordedCall[];

/** What a recording says about a call. */
export interface RecordedOutcome {
  readonly outcome: ToolOutcome;
  /** The call was made more often than when it was recorded: this is the last outcome once more. */
  readonly isRepeated: boolean;
}

/** Outcomes of recorded calls by name and arguments, in order, and then the last one again. */
export declare class RecordedOutcomes {
  /** @param match - Says by tool name whether other arguments are the same call. @defaultValue equal JSON */
  constructor(
    calls: readonly RecordedCall[],
    match?: { readonly [name: string]: ((recorded: unknown, args: unknown) => boolean) | undefined },
  );
  /** @returns Undefined for a call that was not made. */
  next(name: string, args: unknown): RecordedOutcome | undefined;
}
