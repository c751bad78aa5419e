import { SessionConflictError } from "../../errors/run-errors.ts";
import { firstDifference, type Json } from "../../internal/json.ts";
import type { SessionStore, SessionSummary } from "../../session/store.ts";

/** A name, and what throws when a store is not as the name says. */
export type Check = readonly [string, (store: SessionStore, reopen: () => Promise<SessionStore>) => Promise<void>];

/** The ids of a list. */
export function listIds(listed: readonly SessionSummary[]): string[] {
  return listed.map(({ id }) => id);
}

/** The conflict an append comes to. @throws {Error} When it is accepted. */
export async function refusal(append: Promise<void>): Promise<SessionConflictError> {
  try {
    await append;
  } catch (error) {
    isConflict(error);
    return error;
  }
  throw new Error("an append with a wrong expected length was accepted");
}

/** @throws {Error} For any other error. */
export function isConflict(error: unknown): asserts error is SessionConflictError {
  if (error instanceof SessionConflictError) return;
  throw new Error(`expected a SessionConflictError, got ${String(error)}`, { cause: error });
}

/** @throws {Error} When entries differ as JSON text, in the order of their keys for example. */
export function verbatim(found: readonly Json[], expected: readonly Json[]): void {
  same(found.length, expected.length, "entries");
  for (const [index, entry] of expected.entries()) {
    const [was, is] = [JSON.stringify(entry), JSON.stringify(found[index])];
    if (was !== is) throw new Error(`entry ${index} is not verbatim: wrote ${excerpt(was)}, read ${excerpt(is)}`);
  }
}

/** @throws {Error} When two values differ. @param what - Names the value that was found. */
export function same(found: unknown, expected: unknown, what: string): void {
  const path = firstDifference(found, expected);
  if (path === undefined) return;
  const where = path === "the root" ? "" : ` (first difference at ${path})`;
  throw new Error(
    `${what}: expected ${excerpt(JSON.stringify(expected))}, got ${excerpt(JSON.stringify(found))}${where}`,
  );
}

function excerpt(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}… (${text.length} characters)`;
}
