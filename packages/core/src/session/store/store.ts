import type { Json } from "../../internal/json.ts";
import type { JsonObject, Part } from "../../wire/types/content.ts";
import type { ModelPlace } from "../../durable/run-log.ts";
import { SessionConflictError } from "../../errors/run-errors.ts";
import { SessionLeaseLostError } from "../../errors/session-errors.ts";
import type { StopReason } from "../../loop/result.ts";
import type { Cost } from "../../model/usage.ts";

/** How a run ended. `damaged`: entries of it were lost, and a repair ended it for good. */
export type EndReason = StopReason | "failed" | "aborted" | "damaged";

/** A session's description for lists, sent with each append. A store keeps the latest and filters by it. */
export interface SessionInfo extends Pick<Cost, "unpriced" | "pricesAsOf" | "currency"> {
  /** As set by the application, or the first words of the first message; absent before either. */
  readonly title?: string | undefined;
  /** The person that the session belongs to, as set by the application. */
  readonly owner?: string | undefined;
  /** Set by the application. */
  readonly metadata?: { readonly [name: string]: string } | undefined;
  /** Metadata of the last run. */
  readonly runMetadata?: JsonObject | undefined;
  /**
   * `idle`: nothing is left to do. `running`: a run began and has not ended; its process may have died. `waiting`: calls wait for an
   * answer. `stopped`: the last run failed, was aborted or reached a limit, and can be resumed.
   */
  readonly state: "idle" | "running" | "waiting" | "stopped";
  /** How the last run ended. Absent while one is in progress, before the first, after a rewind, and if an older release wrote it. */
  readonly ending?: EndReason | undefined;
  /** `job` while it waits only for jobs, not for a person. */
  readonly waitsFor?: "job" | undefined;
  /** When its first entry was written, in milliseconds since the epoch. */
  readonly createdAt: number;
  /** Messages that began a run, including messages that were taken back. */
  readonly messages: number;
  /** Turns of the runs that are over; a run that was cut off counts once the next has begun. */
  readonly turns: number;
  /** Tokens of the runs that ended. */
  readonly totalTokens: number;
  /** Cost of all runs, including the finished steps of one in progress, in the unit of the price table; 0 without one. */
  readonly cost: number;
  /** What its runs did, as of the last end of a run. Absent before that, and if an older release wrote it last. */
  readonly totals?: readonly TotalsRow[] | undefined;
}

/** Totals for one name. */
export interface TotalsRow {
  /**
   * What is counted: runs by how they ended, and by the agent that began them; answers by the model that wrote them, also in runs inside
   * calls; calls by tool.
   */
  readonly kind: "ending" | "agent" | "model" | "tool";
  /** At most 64 characters. Absent: all names of this kind beyond the first fifteen. */
  readonly name?: string | undefined;
  readonly count: number;
  /** How many runs or calls failed; runs that wait and calls that were refused do not count. Absent for none. */
  readonly failed?: number | undefined;
  /** Tokens of prompts and of what built-in tools added; for a tool, of the runs inside its calls. Absent for none, like the next two. */
  readonly input?: number | undefined;
  /** The part of {@link input} that was read from a cache. */
  readonly cached?: number | undefined;
  /** Tokens of answers and thoughts. */
  readonly output?: number | undefined;
  /** In the unit of the price table; absent for 0. */
  readonly cost?: number | undefined;
  /**
   * How many took about 1.3^n milliseconds: n ascending, to 64 for five hours and above. Excludes waits for people and jobs, for which a
   * run ends, and runs that were aborted.
   */
  readonly times?: readonly (readonly [n: number, count: number])[] | undefined;
}

/** One session, as a store lists it. */
export interface SessionSummary extends Partial<SessionInfo> {
  readonly id: string;
  /** Entries in its log. */
  readonly length: number;
  /** When its log was last written to, in milliseconds since the epoch. */
  readonly updatedAt: number;
}

/** Selects the sessions that match all given conditions. */
export interface SessionFilter {
  /** The id begins with this. */
  readonly prefix?: string | undefined;
  /** The person that the sessions belong to. */
  readonly owner?: string | undefined;
  /** The metadata has all of these. */
  readonly metadata?: { readonly [name: string]: string } | undefined;
  /** The state of the session. */
  readonly state?: SessionInfo["state"] | undefined;
  /** The log was last written to before this time, in milliseconds since the epoch. */
  readonly updatedBefore?: number | undefined;
}

/** Which sessions to list, and in which order. */
export interface ListOptions extends SessionFilter {
  /**
   * Most recently written first, and by id in descending order where two were written at the same time; or by id in ascending order,
   * compared by UTF-16 code unit.
   *
   * @defaultValue "recent"
   */
  readonly order?: "recent" | "id" | undefined;
  /** The last session of the previous page. */
  readonly after?: Pick<SessionSummary, "id" | "updatedAt"> | undefined;
  /** At most this many. @defaultValue 100 */
  readonly limit?: number | undefined;
}

/** What an append does in addition to adding entries, in the same write. */
export interface AppendOptions {
  /** Append only if the lease is held under this token. */
  readonly token?: number | undefined;
  /** Change the lease if it still equals `expected`. A lease that is given back (`held: false`) removes the draft. */
  readonly lease?: { readonly expected: Lease | undefined; readonly next: Lease } | undefined;
  /** Replaces the session's description in lists. Ignored without entries. */
  readonly info?: SessionInfo | undefined;
}

/**
 * Where sessions live: an append-only log of JSON entries for each id, and three small records beside it. The entries are the
 * session's business; a store keeps them as they are, key order included, and never looks inside.
 *
 * Six promises make a store:
 *
 * 1. `append` resolves when the entries would survive a crash of the process, and of the machine where the store can.
 * 2. `append` writes all of its entries, the change of the lease and the info, or nothing.
 * 3. Of two appends that expect the same length one wins, in any processes; the other rejects with `SessionConflictError`
 *    and has written nothing.
 * 4. `load` returns whole entries only: never one whose append has not resolved and might still fail.
 * 5. The lease changes by compare-and-set only. Once its token has changed, an append that states the old one rejects with
 *    `SessionLeaseLostError`; the lease is compared before the length.
 * 6. A session with records but without entries is not listed.
 *
 * `storeConformance` of `@pollux/conformance` checks them.
 */
export interface SessionStore {
  /** Entries from position `from` on (default 0), oldest first; empty when there are none. */
  load(id: string, from?: number): Promise<readonly Json[]>;
  /**
   * Adds entries after the first `expectedLength`.
   *
   * @throws {SessionLeaseLostError} When the lease is not the one that the options state.
   * @throws {SessionConflictError} When the log has another length.
   * @throws {SessionStoreError} When the log cannot be written; nothing was.
   */
  append(id: string, expectedLength: number, entries: readonly Json[], options?: AppendOptions): Promise<void>;
  /** Sessions, the most recent first by default. */
  list(options?: ListOptions): Promise<readonly SessionSummary[]>;
  /** Removes a session with its records. A missing session is no error. */
  delete(id: string): Promise<void>;
  /**
   * Removes all sessions that match, with their records, including running ones.
   *
   * @returns How many were removed.
   * @throws {TypeError} For a filter that names nothing: it would remove every session.
   */
  deleteSessions(filter: SessionFilter): Promise<number>;

  /** The records beside a log; `{}` when there are none. */
  records(id: string): Promise<SessionRecords>;
  /** Changes a lease if it still equals `expected`. Need not survive a crash of the machine. @returns Whether it did. */
  setLease(id: string, expected: Lease | undefined, next: Lease): Promise<boolean>;
  /** Replaces the draft, or removes it. Does nothing when the lease is not held under this token. Need not survive a crash of the machine. */
  setDraft(id: string, token: number, draft: Draft | undefined): Promise<void>;
  /**
   * Asks the run that holds the lease under this token to stop. Does nothing after a request for a later token, nor for a session with
   * neither entries nor records.
   */
  requestStop(id: string, token: number): Promise<void>;
  /**
   * Calls `onChange` after the log or the records of a session may have changed, through this object or any other, in any process: within
   * a second, or at once where the store can. Keeps no process alive. Absent: sessions read their records every second.
   *
   * @returns A function that stops the watching.
   */
  readonly watch?: ((id: string, onChange: () => void) => () => void) | undefined;
  /** How the store recognizes processes that have died. Absent: it cannot. */
  readonly processes?: ProcessKnowledge | undefined;
}

/** How a store recognizes processes. */
export interface ProcessKnowledge {
  /** Identifies this process, in a form that other processes understand. */
  readonly self: Json;
  /** True when a process has surely ended. */
  isGone(process: Json): boolean;
}

/** @throws {TypeError} For a filter without a condition. */
export function checkDeleteFilter(filter: SessionFilter): void {
  const { metadata, ...rest } = filter;
  const conditions = [...Object.values(rest), ...Object.keys(metadata ?? {})];
  if (conditions.every((condition) => condition === undefined || condition === ""))
    throw new TypeError(
      "deleteSessions needs a condition, such as { owner } or { updatedBefore }: without one it would remove every session",
    );
}

/** True for a session that matches a filter; for stores that check each session. */
export function matchesFilter(
  { id, updatedAt, owner, metadata = {}, state }: SessionSummary,
  filter: SessionFilter,
): boolean {
  return (
    id.startsWith(filter.prefix ?? "") &&
    (filter.owner === undefined || owner === filter.owner) &&
    (filter.state === undefined || state === filter.state) &&
    (filter.updatedBefore === undefined || updatedAt < filter.updatedBefore) &&
    Object.entries(filter.metadata ?? {}).every(
      ([name, value]) => Object.hasOwn(metadata, name) && metadata[name] === value,
    )
  );
}

/** Compares summaries by the order of a list; for stores that sort them in JavaScript. */
export function compareSummaries(
  order: ListOptions["order"] = "recent",
): (a: Pick<SessionSummary, "id" | "updatedAt">, b: Pick<SessionSummary, "id" | "updatedAt">) => number {
  const byId = (a: { readonly id: string }, b: { readonly id: string }): number =>
    a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
  return order === "id" ? byId : (a, b) => b.updatedAt - a.updatedAt || byId(b, a);
}

/** One page of summaries; for stores that have all of them in memory. */
export function takePage(all: readonly SessionSummary[], options: ListOptions = {}): SessionSummary[] {
  const { after, limit = 100, order } = options;
  const compare = compareSummaries(order);
  return all
    .filter((one) => matchesFilter(one, options) && (after === undefined || compare(after, one) < 0))
    .toSorted(compare)
    .slice(0, limit);
}

/** The right of one run to write to its session. */
export interface Lease {
  /** Fencing token, from 1: grows with each owner. */
  readonly token: number;
  /** Begins with any number, and grows with each renewal. */
  readonly beat: number;
  /** False for a lease that was given back: it remains, so that its token is never used again. */
  readonly held: boolean;
  readonly runId: string;
  /** The lease expires when it is not renewed for this long, in milliseconds. */
  readonly durationMs: number;
  /** The process that holds it, as the store's {@link ProcessKnowledge} identifies it; absent without one. */
  readonly process?: Json | undefined;
  /** W3C `traceparent` of the run, if it was in a trace when the lease was last renewed. */
  readonly traceparent?: string | undefined;
}

/** The part of an unfinished answer that has arrived. */
export interface Draft {
  readonly runId: string;
  /** Name of the step, such as `model:3`. */
  readonly step: string;
  readonly place: ModelPlace;
  /** From 1: how often its request was sent, in this process. */
  readonly attempt: number;
  /** As they arrived, with adjacent text joined; no function calls. */
  readonly parts: readonly Part[];
  /** Output guardrails have yet to check it: it may be shown while the run is in progress, but is not kept unchecked. */
  readonly guarded?: true | undefined;
  /** The answer is longer than a draft may be. */
  readonly truncated?: true | undefined;
  /** W3C `traceparent` of the run, if it is in a trace. */
  readonly traceparent?: string | undefined;
}

/** The records beside a session's log: they describe work in progress, and the log finished work. */
export interface SessionRecords {
  readonly lease?: Lease | undefined;
  readonly draft?: Draft | undefined;
  /** Token of the lease whose run was asked to stop. */
  readonly stopToken?: number | undefined;
}

/** The state that a change of a session depends on. */
export interface Standing extends Omit<SessionRecords, "draft"> {
  /** Entries in its log. */
  readonly length: number;
}

/** What a call changes in a session: everything, or nothing. */
export interface SessionChange {
  /** Entries to add, as JSON. */
  readonly added?: readonly string[];
  readonly info?: SessionInfo;
  readonly lease?: Lease;
  /** The new draft, as JSON; null removes it. */
  readonly draft?: string | null;
  readonly stopToken?: number;
}

/**
 * Decides what a call changes in a session, by its state while no other call writes to it; `undefined` for nothing.
 *
 * @throws {SessionLeaseLostError | SessionConflictError} When the call is refused.
 */
export type Decide = (now: Standing) => SessionChange | undefined;

/** The calls of core's own stores that write to a session: all of these stores decide changes the same way. */
export abstract class DecidingStore {
  /** @returns Whether it changed anything. @throws A refusal, before anything is written. */
  protected abstract change(id: string, what: "log" | "lease" | "draft" | "records", decide: Decide): Promise<boolean>;

  /** The entries are serialized at once: the caller may change them while the append waits. */
  async append(
    id: string,
    expectedLength: number,
    entries: readonly Json[],
    { token, lease, info }: AppendOptions = {},
  ): Promise<void> {
    const added = entries.map((entry) => JSON.stringify(entry));
    await this.change(id, "log", (now) => {
      if (token !== undefined && !isHeld(now, token)) throw new SessionLeaseLostError(id, token);
      if (lease !== undefined && !isSameLease(now.lease, lease.expected))
        throw new SessionLeaseLostError(id, lease.expected?.token);
      if (now.length !== expectedLength) throw new SessionConflictError(id, expectedLength, now.length);
      if (added.length === 0) return lease && leaseChange(now, lease.next);
      return { added, ...(info !== undefined && { info }), ...(lease !== undefined && leaseChange(now, lease.next)) };
    });
  }

  async setLease(id: string, expected: Lease | undefined, next: Lease): Promise<boolean> {
    return await this.change(id, "lease", (now) =>
      isSameLease(now.lease, expected) ? leaseChange(now, next) : undefined,
    );
  }

  async setDraft(id: string, token: number, draft: Draft | undefined): Promise<void> {
    const text = draft === undefined ? null : JSON.stringify(draft);
    await this.change(id, "draft", (now) => (isHeld(now, token) ? { draft: text } : undefined));
  }

  async requestStop(id: string, token: number): Promise<void> {
    await this.change(id, "records", ({ length, lease, stopToken = 0 }) => {
      const isThere = length > 0 || lease !== undefined || stopToken > 0;
      return isThere && token > stopToken ? { stopToken: token } : undefined;
    });
  }
}

/** A draft belongs to a lease that is held. */
function leaseChange(now: Standing, next: Lease): SessionChange {
  return now.lease?.held === true && next.held ? { lease: next } : { lease: next, draft: null };
}

function isHeld({ lease }: Standing, token: number): boolean {
  return lease?.held === true && lease.token === token;
}

/** True when a lease is still the one that was read before. */
export function isSameLease(a: Lease | undefined, b: Lease | undefined): boolean {
  return a?.token === b?.token && a?.beat === b?.beat && a?.held === b?.held;
}
