import pg from "pg";
import { databaseError } from "./database-error.ts";

/** Where the system database of DBOS is. */
export interface DatabaseOptions {
  /** Of the system database. @defaultValue `DBOS_SYSTEM_DATABASE_URL` of the environment */
  readonly databaseUrl?: string | undefined;
  /** A pool of your own on that database, in place of one made from the URL. You end it. */
  readonly pool?: pg.Pool | undefined;
  /** Schema of DBOS's own tables. @defaultValue "dbos" */
  readonly schema?: string | undefined;
}

/** A connection to the system database, beside the one that DBOS has. */
export interface Database {
  readonly url: string | undefined;
  readonly pool: pg.Pool;
  /** DBOS's own schema. */
  readonly schema: string;
  /** @throws {EngineError} When the database does not answer, refuses, or has no tables yet. */
  readonly query: <Row extends object>(sql: string, values?: readonly unknown[]) => Promise<readonly Row[]>;
  /** Ends the pool, unless it is the caller's. */
  readonly close: () => Promise<void>;
}

/** @throws {TypeError} Without a URL and without a pool. */
export function openDatabase({ databaseUrl, pool: given, schema = "dbos" }: DatabaseOptions): Database {
  const url = databaseUrl ?? process.env["DBOS_SYSTEM_DATABASE_URL"];
  if (given === undefined && url === undefined)
    throw new TypeError("databaseUrl is missing: give the URL of a Postgres database, or set DBOS_SYSTEM_DATABASE_URL");
  const pool = given ?? new pg.Pool({ connectionString: url, max: 3, connectionTimeoutMillis: 10_000 });
  // A connection that breaks while idle is made anew by the next query.
  if (given === undefined) pool.on("error", () => {});
  return {
    url,
    pool,
    schema,
    query: async <Row extends object>(sql: string, values: readonly unknown[] = []) => {
      try {
        return (await pool.query<Row>(sql, [...values])).rows;
      } catch (error) {
        throw databaseError(error, url);
      }
    },
    close: async () => {
      if (given === undefined && !pool.ending) await pool.end();
    },
  };
}

/** The tables of this library, beside DBOS's own. */
export async function createTables(database: Database): Promise<void> {
  // Two workers that start at once would both create them. The lock is held for this one statement.
  await database.query(`DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(778201455);
    CREATE SCHEMA IF NOT EXISTS pollux;
    CREATE TABLE IF NOT EXISTS pollux.executors (
      executor_id text PRIMARY KEY,
      application_version text NOT NULL,
      agents text[] NOT NULL,
      heartbeat_at timestamptz NOT NULL,
      claimed_at timestamptz
    );
    CREATE TABLE IF NOT EXISTS pollux.restarts (run_id text PRIMARY KEY, restarts integer NOT NULL);
    CREATE TABLE IF NOT EXISTS pollux.cancelled (run_id text PRIMARY KEY, report json NOT NULL);
  END $$`);
}
