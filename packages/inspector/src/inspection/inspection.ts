import type { Json, PendingCall, ReadsMark, SessionSummary, Usage } from "@pollux/core";
import type { SessionProblem } from "@pollux/core/doctor";
import type { MoneyFacts, Priced } from "./cost.ts";
import type { EndingFilter } from "./endings.ts";
import type { PrefixBreak } from "./exchange-details.ts";
import type { TurnFlag } from "./flags.ts";
import type { ReadError } from "./read-values.ts";
import type { TurnUsage } from "./usage.ts";

/**
 * What the inspector's API answers and its page shows. Everything here is JSON. Times are milliseconds since the epoch, durations
 * milliseconds, sizes bytes, and money is in the unit of the price table.
 */

/**
 * - `running`: a run is going.
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
  /** How its last run ended, or how that stands: an `Ending`. Absent without one, and as an older release wrote it. */
  readonly ending?: string | undefined;
  readonly turns: number;
  /** Messages that began a run. */
  readonly messages: number;
  readonly totalTokens: number;
  readonly agent?: string | undefined;
  /** Its requests and answers were kept. */
  readonly hasExchanges: boolean;
}

/** Which sessions to list. */
export interface SessionQuery {
  /** Words that the id, title, owner, metadata, or a name of an agent, model or tool has, in any case. */
  readonly search?: string | undefined;
  readonly state?: EndingFilter | undefined;
  readonly owner?: string | undefined;
  /** {@link SessionPage.next} of the page before. */
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

/** One session as a whole, in rows short enough for ten thousand turns. */
export interface SessionOverview extends Priced, MoneyFacts {
  readonly id: string;
  readonly title?: string | undefined;
  readonly state: SessionState;
  /** How its last run ended, or how that stands: an `Ending`. Absent without one. */
  readonly ending?: string | undefined;
  readonly createdAt?: number | undefined;
  readonly updatedAt?: number | undefined;
  /** Entries in the log. */
  readonly length: number;
  /** Set when runs and turns that have not changed since the log had this length are left out; see `mergeOverview`. */
  readonly since?: number | undefined;
  /** What came before the entries that were read: the rest is read when it is asked for. Absent when all is here. */
  readonly earlier?: EarlierRow | undefined;
  /** Contents from before the first run: given by the caller, or those of the session it was forked from. */
  readonly history?: HistoryRow | undefined;
  readonly runs: readonly RunRow[];
  /** Calls of the last run that wait for an answer. */
  readonly pending: readonly PendingRow[];
  /** Said to the session, and not heard by a run yet. */
  readonly queued: readonly SteeringRow[];
  /** Entries that could not be read, or don't belong where they are. */
  readonly problems: readonly SessionProblem[];
  readonly usage: Usage;
  /** Kept requests of the session. */
  readonly exchanges: number;
}

/** The part of a long session that was not read. */
export interface EarlierRow {
  /** Entries before the first that was read. */
  readonly entries: number;
  /** Turns before the first that is here. */
  readonly turns: number;
  /** What is here and what came before is summed up in `usage` and `cost`; otherwise these are of what is here. */
  readonly areTotalsKnown: boolean;
}

/** Contents that the session began with. */
export interface HistoryRow {
  readonly contents: number;
  /** The session that it was forked from. */
  readonly from?: string | undefined;
  /** What they bring; absent for nothing. */
  readonly reads?: Exclude<ReadsMark, "unknown"> | undefined;
}

/** A run: from a message to a stop reason. */
export interface RunRow extends Priced, MoneyFacts {
  readonly runId: string;
  /** Place of its entry in the log. */
  readonly position: number;
  /** Its beginning was not read. */
  readonly isPartial?: true | undefined;
  readonly at: number;
  readonly endedAt?: number | undefined;
  readonly model: string;
  /** Name of the agent, if the run's metadata says it. */
  readonly agent?: string | undefined;
  /** Family and endpoint that made the signatures of its answers. */
  readonly origin?: Json | undefined;
  readonly state: SessionState;
  /** How it ended, or how it stands: an `Ending`. */
  readonly ending: string;
  readonly stopReason?: string | undefined;
  /** The limit that ended it. */
  readonly limit?: string | undefined;
  readonly error?: ReadError | undefined;
  readonly guardrail?: { readonly name: string; readonly side: string; readonly reason: string } | undefined;
  /** First words of the message that began it. */
  readonly input: string;
  /** What that message brings into the history; absent for nothing. */
  readonly reads?: Exclude<ReadsMark, "unknown"> | undefined;
  readonly metadata?: Json | undefined;
  /** How often it was resumed. */
  readonly resumed: number;
  /** The conversation went back to before it: another run took its place, or none. It still counts. */
  readonly takenBack?: true | undefined;
  readonly usage: Usage;
  /** What it cost outside of its turns: with them, this adds up to `cost`. Absent for nothing. */
  readonly otherCosts?: readonly OtherCost[] | undefined;
  readonly toolCalls: number;
  /** How much of each limit was used, where the limits are known. */
  readonly limits: readonly LimitRow[];
  readonly turns: readonly TurnRow[];
}

/** What a run cost that is in none of its turns. */
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
  /** Its place over all runs of the session, in the order of the log and from 1; 0 before an entry tells of the turn. Never changes. */
  readonly number: number;
  /** Its place in its run, as names of steps have it. */
  readonly turn: number;
  /** The turn turns the answer into typed output. */
  readonly phase?: "output" | undefined;
  /** Name of the agent that leads it, after a handover: another than the run's. */
  readonly agent?: string | undefined;
  readonly startedAt: number;
  /** Absent while something of it is going, or was cut off. */
  readonly endedAt?: number | undefined;
  readonly steps: readonly StepRow[];
  readonly usage: TurnUsage;
  /** First words of the answer, or of a thought. */
  readonly text: string;
  readonly finishReason?: string | undefined;
  /** Requests that failed before the answer came, where exchanges are kept. */
  readonly failedRequests?: readonly FailedRequest[] | undefined;
  /** Its request doesn't continue the one before, where exchanges are kept: what a cache could no longer serve, at most. */
  readonly brokenPrefix?: BrokenPrefix | undefined;
  readonly flags: readonly TurnFlag[];
}

/** A request that failed, and was sent again, changed or not, or given up. */
export interface FailedRequest {
  /** Index in the session's kept exchanges. */
  readonly n: number;
  readonly step: string;
  readonly at: number;
  readonly ms: number;
  /** Absent if there was no answer. */
  readonly status?: number | undefined;
  /** What the service said, or why there was no answer. */
  readonly said: string;
}

/** Where a turn's request stopped being a continuation of the one before it, and what that cost at most. */
export interface BrokenPrefix extends PrefixBreak {
  /** Index of the request in the session's kept exchanges. */
  readonly n: number;
}

/** One step of a turn. */
export interface StepRow {
  /** As in the log, such as `call:3.0`. */
  readonly name: string;
  readonly kind: "model" | "call" | "wait" | "hook" | "route" | "reroute" | "compact" | "guard" | "inner" | "other";
  /** Place of its entry in the log; absent for one that only began. */
  readonly position?: number | undefined;
  readonly at: number;
  /** Absent while it is going, or when it was cut off. */
  readonly ms?: number | undefined;
  /** `open`: begun, without an outcome. */
  readonly state: "ok" | "failed" | "denied" | "open" | "waiting" | "unknown";
  /** What it is about: the tool, the model that was asked instead, the guardrail. */
  readonly label?: string | undefined;
  /** Why it failed, or what it found, in one line. */
  readonly detail?: string | undefined;
  /** Runs of agents inside a call, or delegated requests. */
  readonly inner?: readonly InnerRow[] | undefined;
  /** From 1: it was not the first try. */
  readonly attempt?: number | undefined;
  /** What it brought into the history; absent for nothing. */
  readonly reads?: Exclude<ReadsMark, "unknown"> | undefined;
  /** Where that is from, as the tool says, such as a server. */
  readonly origin?: string | undefined;
  /** Before it, nothing in the history was untrusted: see `markUntrusted`. */
  readonly isFirstUntrusted?: true | undefined;
  /** Where the request differs from the one before. */
  readonly breaks?: readonly string[] | undefined;
}

/** A run inside a step. Its turns are known where requests are kept: see `ExchangeRow.inner`. */
export interface InnerRow {
  readonly usage: TurnUsage;
  readonly cost?: number | undefined;
  /** First words of the answers that the log has of it. */
  readonly texts: readonly string[];
}

/** A call that waits for an answer. */
export interface PendingRow extends Pick<PendingCall, "turn" | "callId" | "token" | "question" | "path"> {
  readonly runId: string;
  readonly name: string;
  readonly args: Json;
  /** Why it is asked, if that is what the model has read: a sentence. */
  readonly because?: string | undefined;
  /** Of a call that waits for a job. */
  readonly job?: JobRow | undefined;
}

/** A job that a call waits for, as far as the log tells. */
export interface JobRow extends Record<"since" | "until" | "reportedAt", number | undefined> {
  readonly jobId: string | undefined;
  /** The last one reported. */
  readonly progress: Json | undefined;
}

/** Something said to a session while a run was going. */
export interface SteeringRow {
  readonly position: number;
  readonly text: string;
}
