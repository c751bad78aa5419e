import { SessionConflictError } from "../../errors/run-errors.ts";
import { SessionLeaseLostError } from "../../errors/session-errors.ts";
import type { Json } from "../../internal/json.ts";
import type { AppendOptions, Draft, Lease, SessionInfo, SessionRecords } from "./store.ts";

/** What a change of a session depends on. */
export interface Standing extends Omit<SessionRecords, "draft"> {
  /** Entries in its log. */
  readonly length: number;
}

/** What a call changes in a session: all of it, or nothing. */
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
 * What a call changes in a session as it stands while nobody else writes to it; `undefined` for nothing. Every store writes by these.
 *
 * @throws {SessionLeaseLostError | SessionConflictError} When the call is refused.
 */
export type Decide = (now: Standing) => SessionChange | undefined;

/** Of `append`. The entries are serialized at once: the caller may change them while the append waits. */
export function decideAppend(
  id: string,
  expectedLength: number,
  entries: readonly Json[],
  { token, lease, info }: AppendOptions = {},
): Decide {
  const added = entries.map((entry) => JSON.stringify(entry));
  return (now) => {
    if (token !== undefined && !isHeld(now, token)) throw new SessionLeaseLostError(id, token);
    if (lease !== undefined && !isSameLease(now.lease, lease.expected))
      throw new SessionLeaseLostError(id, lease.expected?.token);
    if (now.length !== expectedLength) throw new SessionConflictError(id, expectedLength, now.length);
    if (added.length === 0) return lease && leaseChange(now, lease.next);
    return { added, ...(info !== undefined && { info }), ...(lease !== undefined && leaseChange(now, lease.next)) };
  };
}

/** Of `setLease`. */
export function decideLease(expected: Lease | undefined, next: Lease): Decide {
  return (now) => (isSameLease(now.lease, expected) ? leaseChange(now, next) : undefined);
}

/** Of `setDraft`. */
export function decideDraft(token: number, draft: Draft | undefined): Decide {
  const text = draft === undefined ? null : JSON.stringify(draft);
  return (now) => (isHeld(now, token) ? { draft: text } : undefined);
}

/** Of `requestStop`. */
export function decideStop(token: number): Decide {
  return ({ length, lease, stopToken = 0 }) => {
    const isThere = length > 0 || lease !== undefined || stopToken > 0;
    return isThere && token > stopToken ? { stopToken: token } : undefined;
  };
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
