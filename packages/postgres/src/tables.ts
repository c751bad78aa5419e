import { createHash } from "node:crypto";

/** Names of the store's tables in a database, quoted for SQL. */
export interface Tables {
  readonly schema: string;
  /** Not quoted. */
  readonly schemaName: string;
  readonly migrations: string;
  readonly sessions: string;
  readonly entries: string;
  readonly drafts: string;
  /** The channel for change notifications; not quoted. */
  readonly channel: string;
}

/** @throws {TypeError} For a name that Postgres would cut. */
export function tablesIn(schemaName: string): Tables {
  if (schemaName === "" || Buffer.byteLength(schemaName) > 63 || schemaName.includes("\0"))
    throw new TypeError(`schema must be a name of 1 to 63 bytes, got ${JSON.stringify(schemaName)}`);
  const schema = `"${schemaName.replaceAll('"', '""')}"`;
  return {
    schema,
    schemaName,
    migrations: `${schema}.session_migrations`,
    sessions: `${schema}.sessions`,
    entries: `${schema}.session_entries`,
    drafts: `${schema}.session_drafts`,
    channel: `pollux_sessions_${createHash("sha256").update(schemaName).digest("hex").slice(0, 16)}`,
  };
}
