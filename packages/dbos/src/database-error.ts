import { EngineError } from "@pollux/engine";

const NETWORK = new Set(["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ETIMEDOUT", "ECONNRESET", "EAI_AGAIN", "57P03"]);
const REFUSED = new Set(["28000", "28P01", "42501", "3D000"]);
const NO_TABLE = new Set(["42P01", "3F000"]);

/** Turns a database error into one that says what to do; returns anything else unchanged. Shows only the URL's host and database. */
export function databaseError(error: unknown, url: string | undefined): unknown {
  const { code, message } = describe(error);
  const at = describePlace(url);
  if (NETWORK.has(code) || /^timeout exceeded|^Connection terminated/i.test(message))
    return new EngineError(
      "server-unreachable",
      `no database answers at ${at} (${code === "" ? message : code}): start Postgres, or pass its URL as \`databaseUrl\``,
      { cause: error },
    );
  if (REFUSED.has(code))
    return new EngineError("server-refused", `the database at ${at} refused the request: ${message}`, { cause: error });
  if (NO_TABLE.has(code))
    return new EngineError("no-tables", `the database at ${at} has no runs yet: start a worker on it first`, {
      cause: error,
    });
  return error;
}

function describe(error: unknown): { readonly code: string; readonly message: string } {
  // Node reports one error if several addresses were tried.
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error;
  if (!(inner instanceof Error)) return { code: "", message: String(inner) };
  const code: unknown = "code" in inner ? inner.code : undefined;
  return { code: typeof code === "string" ? code : "", message: inner.message };
}

function describePlace(url: string | undefined): string {
  if (url === undefined || !URL.canParse(url)) return "the pool's address";
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}
