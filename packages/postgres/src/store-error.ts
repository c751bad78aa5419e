import { ConfigurationError } from "@pollux/core";
import {
  SessionConflictError,
  SessionDamagedError,
  SessionLeaseLostError,
  SessionStoreError,
} from "@pollux/core/errors";
import { redact } from "@pollux/core/wire";
import type { OpenPool } from "./pool.ts";

const UNREACHABLE: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "EAI_AGAIN",
  "57P03",
]);

/** The connection broke: the query may or may not have been executed. */
const LOST: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "57P01", "57P02", "08003", "08006"]);

/** Failures that last until somebody changes the setup, each with the change to make. */
const MISCONFIGURED: { readonly [code: string]: string } = {
  "28000": "check the user and the password",
  "28P01": "check the user and the password",
  "3D000": "create the database, or correct its name",
  "42501": "grant the user the right to read and write the store's schema, or let another user call migrate()",
  "22P05": "the store needs a database with the encoding UTF8",
};

const ADVICE: { readonly [code: string]: string } = {
  "25006": "the server is read-only, as a standby is; connect to the primary",
  "53100": "the server's disk is full; free some space",
  "53200": "the server is out of memory",
  "53300": "the server has no more connections; lower `max`, or use a pooler",
  "55P03": "another transaction has locked the tables; try again",
  "57014": "the query was canceled, perhaps by statement_timeout; try again",
};

/** A query that took too long. */
export class QueryTimeoutError extends Error {
  override readonly name = "QueryTimeoutError";
}

/** True when another try may succeed at once: two transactions collided. */
export function isCollision(error: unknown): boolean {
  const { code } = describe(error);
  return code === "40001" || code === "40P01";
}

/** True when the connection broke, so that it is not known whether a write was made. */
export function isLostConnection(error: unknown): boolean {
  const { code, message } = describe(error);
  return (
    LOST.has(code) || /^Connection (terminated|ended) unexpectedly|^Connection terminated$|not queryable/.test(message)
  );
}

/** True for a query whose outcome is not known. */
export function isUncertain(error: unknown): boolean {
  return (
    isLostConnection(error) || error instanceof QueryTimeoutError || describe(error).message === "Query read timeout"
  );
}

/** True when a table or its schema is not there. */
export function isMissingTable(error: unknown): boolean {
  const { code } = describe(error);
  return code === "42P01" || code === "3F000";
}

/** True when another process has created the schema or a table meanwhile. */
export function isAlreadyThere(error: unknown): boolean {
  const { code } = describe(error);
  return code === "42P06" || code === "42P07" || code === "23505";
}

/**
 * A failure of the database as an error that says what to do; an error of this library stays as it is.
 *
 * @param problem - What could not be done, such as "its log cannot be read".
 */
export function asStoreError(
  error: unknown,
  id: string,
  problem: string,
  { place, secrets }: Pick<OpenPool, "place" | "secrets">,
): Error {
  if (isOurs(error)) return error;
  const { code, message } = describe(error);
  const shown = redact(message, secrets);
  const cause = withoutSecretsIn(error, secrets);
  const misconfigured = MISCONFIGURED[code];
  if (misconfigured !== undefined)
    return new ConfigurationError(
      `The database at ${place} refused: ${shown} (${code}). To fix it, ${misconfigured}.`,
      {
        cause,
      },
    );
  if (UNREACHABLE.has(code) || /^timeout exceeded|due to connection timeout/.test(message))
    return new SessionStoreError(
      id,
      `${problem}: no database answers at ${place} (${code === "" ? shown : code}). ` +
        "Check that Postgres is running and can be reached, then try again",
      { cause },
    );
  if (isMissingTable(error))
    return new ConfigurationError(
      `The store's tables in the database at ${place} are gone: ${shown}. Call migrate() again.`,
      {
        cause,
      },
    );
  if (isUncertain(error))
    return new SessionStoreError(
      id,
      `${problem}: the connection to ${place} broke or took too long (${shown}). Try again; a write may have been made`,
      { cause },
    );
  const advice = ADVICE[code];
  return new SessionStoreError(id, `${problem}: ${advice === undefined ? shown : `${advice} (${shown})`}`, { cause });
}

function isOurs(error: unknown): error is Error {
  return (
    error instanceof ConfigurationError ||
    error instanceof SessionConflictError ||
    error instanceof SessionDamagedError ||
    error instanceof SessionLeaseLostError ||
    error instanceof SessionStoreError
  );
}

function describe(error: unknown): { readonly code: string; readonly message: string } {
  // Node gives one error for several addresses that were tried.
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error;
  if (!(inner instanceof Error)) return { code: "", message: String(inner) };
  const code: unknown = "code" in inner ? inner.code : undefined;
  return { code: typeof code === "string" ? code : "", message: inner.message };
}

/** The error itself when nothing in it is secret; else only its name, code and cleaned message. */
function withoutSecretsIn(error: unknown, secrets: readonly string[]): unknown {
  if (!(error instanceof Error)) return redact(String(error), secrets);
  const members = Object.values(Object.getOwnPropertyDescriptors(error));
  const written = members.map(({ value }) => asJson(value)).join("\n");
  if (redact(written, secrets) === written) return error;
  const { code, message } = describe(error);
  return Object.assign(new Error(redact(message, secrets)), { name: error.name, code });
}

function asJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return "";
  }
}
