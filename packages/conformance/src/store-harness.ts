import type { Json, Lease, SessionInfo, SessionStore, SessionSummary } from "@pollux/core";
import { SessionConflictError, SessionLeaseLostError } from "@pollux/core/errors";
import { excerpt, same } from "./steps-harness.ts";

/** By name: functions that throw when a store is not as the name says. */
export type StoreChecks = Readonly<
  Record<string, (store: SessionStore, reopen: () => Promise<SessionStore>) => Promise<void>>
>;

/** A lease as the first owner takes it. */
export function buildLease(fields: Partial<Lease> = {}): Lease {
  return { token: 1, beat: 0, held: true, runId: "run-1", durationMs: 15_000, ...fields };
}

/** The info of a session, as it might be. */
export function buildInfo(fields: Partial<SessionInfo> = {}): SessionInfo {
  return {
    state: "idle",
    createdAt: 1_700_000_000_000,
    messages: 1,
    turns: 2,
    totalTokens: 345,
    cost: 0.06,
    ...fields,
  };
}

/** A value without members that are undefined. */
export function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

export function listIds(listed: readonly SessionSummary[]): string[] {
  return listed.map(({ id }) => id);
}

/** The conflict that refuses an append. @throws {Error} When it is accepted. */
export async function refusal(append: Promise<void>): Promise<SessionConflictError> {
  try {
    await append;
  } catch (error) {
    isConflict(error);
    return error;
  }
  throw new Error("an append with a wrong expected length was accepted");
}

/** The loss of the lease that refuses an append. @throws {Error} When it is accepted, or refused for another reason. */
export async function leaseLoss(append: Promise<void>): Promise<SessionLeaseLostError> {
  try {
    await append;
  } catch (error) {
    if (error instanceof SessionLeaseLostError) return error;
    throw new Error(`expected a SessionLeaseLostError, got ${String(error)}`, { cause: error });
  }
  throw new Error("an append under a lease that is not held was accepted");
}

/** @throws {Error} For any other error. */
export function isConflict(error: unknown): asserts error is SessionConflictError {
  if (error instanceof SessionConflictError) return;
  throw new Error(`expected a SessionConflictError, got ${String(error)}`, { cause: error });
}

/** @throws {Error} When entries differ as JSON text, even if only in the order of their keys. */
export function verbatim(found: readonly Json[], expected: readonly Json[]): void {
  same(found.length, expected.length, "entries");
  for (const [index, entry] of expected.entries()) {
    const [was, is] = [JSON.stringify(entry), JSON.stringify(found[index])];
    if (was !== is) throw new Error(`entry ${index} is not verbatim: wrote ${excerpt(was)}, read ${excerpt(is)}`);
  }
}
