import type { Json, PendingCall, ReadsMark, SessionSummary, Usage } from "@pollux/core";
import type { SessionProblem } from "@pollux/core/doctor";
import type { MoneyFacts, Priced } from "./cost.ts";
import type { EndingFilter } from "./endings.ts";
import type { PrefixBreak } from "./exchange-details.ts";
import type { TurnFlag } from "./flags.ts";
import type { ReadError } from "./read-values.ts";
import type { TurnUsage } from "./usage.ts";

/**
 * Types of the inspector's API, which its page shows. All values are JSON. Times are milliseconds since the epoch, durations
 * milliseconds, sizes bytes, and money is in the unit of the price table.
 */

/**
 * - `running`: a run is active.
 * - `waiting`: calls wait for an answer.
 * - `cut-off`: the process of the last run has died.
 * - `stopped`: the last run failed, was aborted or reached a limit, and can be resumed.
 * - `done`: nothing is left to do.
 */
export type SessionState = "running" | "waiting" | "cut-off" | "stopped" | "done";

/** One session in the list. */
export interface SessionRow
  extends
    Pick<SessionSummary, "id" | "title" | "updatedAt" | "owner" | "metadata">,
    Pick<Priced, "cost" | "unpriced">,
    MoneyFacts {
  readonly state: SessionState;
  /** An `Ending`: how its last run ended, or its state. Absent without a run, and for sessions that an older release wrote last. */
  readonly ending?: string | undefined;
  /** These three are absent for a session without a summary, such as a copied log. */
  readonly turns?: number | undefined;
  /** Messages that started a run. */
  readonly messages?: number | undefined;
  readonly totalTokens?: number | undefined;
  readonly agent?: string | undefined;
  /** Its requests and answers were kept. */
  readonly hasExchanges: boolean;
}

/** Which sessions to list. */
export interface SessionQuery {
  /** Words to find in the id, title, owner, metadata and names of agents, models and tools, in any case. */
  readonly search?: string | undefined;
  readonly state?: EndingFilter | undefined;
  readonly owner?: string | undefined;
  /** {@link SessionPage.next} of the previous page. */
  readonly after?: string | undefined;
  /** @defaultValue 100; at most 1000 */
  readonly limit?: number | undefined;
}

/** A page of the list, most recent first. */
export interface SessionPage {
  readonly sessions: readonly SessionRow[];
  /** Continues the list; absent on the last page. */
  readonly next?: string | undefined;
}

/** A whole session, in rows short enough for ten thousand turns. */
export interface SessionOverview extends Priced, MoneyFacts {
  readonly id: string;
  readonly title?: string | undefined;
  readonly state: SessionState;
  /** An `Ending`: how its last run ended, or its state. Absent without a run. */
  readonly ending?: string | undefined;
  readonly createdAt?: number | undefined;
  readonly updatedAt?: number | undefined;
  /** Entries in the log. */
  readonly length: number;
  /** Set when the overview leaves out runs and turns unchanged since the log had this length; see `mergeOverview`. */
  readonly since?: number | undefined;
  /** The unread beginning of a long log, which is read on demand. Absent when all of it was read. */
  readonly earlier?: EarlierRow | undefined;
  /** Contents from before the first run: given by the caller, or copied from the session that it was forked from. */
  readonly history?: HistoryRow | undefined;
  readonly runs: readonly RunRow[];
  /** Calls of the last run that wait for an answer. */
  readonly pending: readonly PendingRow[];
  /** Messages to the session that no run has read yet. */
  readonly queued: readonly SteeringRow[];
  /** Unreadable or misplaced entries. */
  readonly problems: readonly SessionProblem[];
  readonly usage: Usage;
  /** Kept requests of the session. */
  readonly exchanges: number;
}

/** The unread part of a long session. */
export interface EarlierRow {
  /** Entries before the first one read. */
  readonly entries: number;
  /** Turns before the first one read. */
  readonly turns: number;
  /** `usage` and `cost` cover the whole session; otherwise, only the part that was read. */
  readonly areTotalsKnown: boolean;
}

/** Contents that the session started with. */
export interface HistoryRow {
  readonly contents: number;
  /** The session that it was forked from. */
  readonly from?: string | undefined;
  /** Their mark; absent for none. */
  readonly reads?: Exclude<ReadsMark, "unknown"> | undefined;
}

/** A run: from a message to a stop reason. */
export interface RunRow extends Priced, MoneyFacts {
  readonly runId: string;
  /** Position of its entry in the log. */
  readonly position: number;
  /** Its beginning was not read. */
  readonly isPartial?: true | undefined;
  readonly at: number;
  readonly endedAt?: number | undefined;
  readonly model: string;
  /** Name of the agent, if the log has it. */
  readonly agent?: string | undefined;
  /** Model family and endpoint of its answers' signatures. */
  readonly origin?: Json | undefined;
  readonly state: SessionState;
  /** An `Ending`: how it ended, or its state. */
  readonly ending: string;
  readonly stopReason?: string | undefined;
  /** The limit that ended it. */
  readonly limit?: string | undefined;
  readonly error?: ReadError | undefined;
  readonly guardrail?: { readonly name: string; readonly side: string; readonly reason: string } | undefined;
  /** First words of the message that started it. */
  readonly input: string;
  /** The mark that this message brings into the history; absent for none. */
  readonly reads?: Exclude<ReadsMark, "unknown"> | undefined;
  readonly metadata?: Json | undefined;
  /** How many times it was resumed. */
  readonly resumed: number;
  /** A rewind removed it from the conversation. It still counts toward usage and cost. */
  readonly takenBack?: true | undefined;
  readonly usage: Usage;
  /** Costs outside of its turns, which add up to `cost` together with the turns. Absent for none. */
  readonly otherCosts?: readonly OtherCost[] | undefined;
  readonly toolCalls: number;
  /** Use of each known limit. */
  readonly limits: readonly LimitRow[];
  readonly turns: readonly TurnRow[];
}

/** A cost of a run outside of its turns. */
export interface OtherCost extends Priced {
  readonly what: string;
  readonly usage: TurnUsage;
}

/** One limit of a run. */
export interface LimitRow {
  readonly name: string;
  readonly limit: number;
  readonly used: number;
}

/** One turn: a request, its answer, and the calls that the answer made. */
export interface TurnRow extends Priced {
  /** Its number in the session, in the order of the log and from 1; 0 until the turn has an entry. Never changes after that. */
  readonly number: number;
  /** Its number in its run, as in names of steps. */
  readonly turn: number;
  /** Set for a turn that converts the answer to typed output. */
  readonly phase?: "output" | undefined;
  /** Name of the agent that leads it, if a handoff made that another than the run's. */
  readonly agent?: string | undefined;
  readonly startedAt: number;
  /** Absent while one of its steps is open or was cut off. */
  readonly endedAt?: number | undefined;
  readonly steps: readonly StepRow[];
  readonly usage: TurnUsage;
  /** First words of the answer, or of a thought. */
  readonly text: string;
  readonly finishReason?: string | undefined;
  /** Requests that failed before the answer came, if exchanges are kept. */
  readonly failedRequests?: readonly FailedRequest[] | undefined;
  /** Set if its request doesn't continue the previous one and exchanges are kept: the most that a cache could no longer serve. */
  readonly brokenPrefix?: BrokenPrefix | undefined;
  readonly flags: readonly TurnFlag[];
}

/** A failed request, whether it was repeated, changed or given up. */
export interface FailedRequest {
  /** Index in the session's kept exchanges. */
  readonly n: number;
  readonly step: string;
  readonly at: number;
  readonly ms: number;
  /** Absent if there was no answer. */
  readonly status?: number | undefined;
  /** The service's message, or why there was no answer. */
  readonly said: string;
}

/** Where a turn's request stopped being a continuation of the previous one, and the most that could have cost. */
export interface BrokenPrefix extends PrefixBreak {
  /** Index of the request in the session's kept exchanges. */
  readonly n: number;
}

/** One step of a turn. */
export interface StepRow {
  /** As in the log, such as `call:3.0`. */
  readonly name: string;
  readonly kind: "model" | "call" | "wait" | "hook" | "route" | "reroute" | "compact" | "guard" | "inner" | "other";
  /** Position of its entry in the log; absent for one without an outcome. */
  readonly position?: number | undefined;
  readonly at: number;
  /** Absent while it is open, or if it was cut off. */
  readonly ms?: number | undefined;
  /** `open`: begun, without an outcome. */
  readonly state: "ok" | "failed" | "denied" | "open" | "waiting" | "unknown";
  /** Its subject: the tool, the model that replaced the run's, the guardrail. */
  readonly label?: string | undefined;
  /** Why it failed, or its result, in one line. */
  readonly detail?: string | undefined;
  /** Runs of agents inside a call, or delegated requests. */
  readonly inner?: readonly InnerRow[] | undefined;
  /** From 1; absent for the first attempt. */
  readonly attempt?: number | undefined;
  /** The mark that it brought into the history; absent for none. */
  readonly reads?: Exclude<ReadsMark, "unknown"> | undefined;
  /** The source of that content according to the tool, such as a server. */
  readonly origin?: string | undefined;
  /** It brought the first untrusted content into the history: see `markUntrusted`. */
  readonly isFirstUntrusted?: true | undefined;
  /** Fields in which the request differs from the previous one. */
  readonly breaks?: readonly string[] | undefined;
}

/** A run inside a step. Its turns are only known if requests are kept: see `ExchangeRow.inner`. */
export interface InnerRow {
  readonly usage: TurnUsage;
  readonly cost?: number | undefined;
  /** First words of its answers in the log. */
  readonly texts: readonly string[];
}

/** A call that waits for an answer. */
export interface PendingRow extends Pick<PendingCall, "turn" | "callId" | "token" | "question" | "path"> {
  readonly runId: string;
  readonly name: string;
  readonly args: Json;
  /** Why untrusted content led to the question, if it did: a sentence. */
  readonly because?: string | undefined;
  /** Set for a call that waits for a job. */
  readonly job?: JobRow | undefined;
}

/** A job that a call waits for, according to the log. */
export interface JobRow extends Record<"since" | "until" | "reportedAt", number | undefined> {
  readonly jobId: string | undefined;
  /** The last one reported. */
  readonly progress: Json | undefined;
}

/** A message to a session whose run was active. */
export interface SteeringRow {
  readonly position: number;
  readonly text: string;
}
