import pg from "pg";
import { databaseError } from "./database-error.ts";

/** Where DBOS's system database is. */
export interface DatabaseOptions {
  /** URL of the system database. @defaultValue the environment variable `DBOS_SYSTEM_DATABASE_URL` */
  readonly databaseUrl?: string | undefined;
  /** Your own pool for that database, instead of one created from the URL. You close it. */
  readonly pool?: pg.Pool | undefined;
  /** Schema of DBOS's own tables. @defaultValue "dbos" */
  readonly schema?: string | undefined;
}

/** A connection to the system database, separate from DBOS's own. */
export interface Database {
  readonly url: string | undefined;
  readonly pool: pg.Pool;
  /** DBOS's own schema. */
  readonly schema: string;
  /** @throws {EngineError} If the database doesn't answer, refuses, or has no tables yet. */
  readonly query: <Row extends object>(sql: string, values?: readonly unknown[]) => Promise<readonly Row[]>;
  /** Closes the pool, unless it is the caller's. */
  readonly close: () => Promise<void>;
}

/** @throws {TypeError} Without a URL and without a pool. */
export function openDatabase({ databaseUrl, pool: given, schema = "dbos" }: DatabaseOptions): Database {
  const url = databaseUrl ?? process.env["DBOS_SYSTEM_DATABASE_URL"];
  if (given === undefined && url === undefined)
    throw new TypeError("databaseUrl is missing: pass the URL of a Postgres database, or set DBOS_SYSTEM_DATABASE_URL");
  const pool = given ?? new pg.Pool({ connectionString: url, max: 3, connectionTimeoutMillis: 10_000 });
  // A connection that breaks while idle is replaced on the next query.
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

/** The tables of this package, in addition to DBOS's. */
export async function createTables(database: Database): Promise<void> {
  // Two workers that start at once would both create them. The lock is held only for this statement.
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
    ALTER TABLE pollux.restarts ADD COLUMN IF NOT EXISTS dbos_schema text;
    ALTER TABLE pollux.cancelled ADD COLUMN IF NOT EXISTS dbos_schema text;
  END $$`);
}
