import { setTimeout } from "node:timers/promises";
import { DBOS } from "@dbos-inc/dbos-sdk";
import pg from "pg";
import type { Database } from "./database.ts";

/**
 * Launches DBOS, one worker at a time: workers that start together on a new database would conflict while creating DBOS's
 * tables.
 */
export async function launchDbos(database: Database): Promise<void> {
  const turn = await takeTurn(database);
  try {
    await DBOS.launch();
  } finally {
    await turn?.query("SELECT pg_advisory_unlock($1)", [LOCK]).catch(() => {});
    turn?.release();
  }
}

/** After this many milliseconds, the other worker is considered stuck. */
const TURN_MS = 60_000;
/** This package's lock, different from the one for its own tables. */
const LOCK = 778201456;

/** A connection that holds the lock; `undefined` if there can't be one, so that DBOS reports the problem. */
async function takeTurn({ pool, url }: Database): Promise<pg.PoolClient | undefined> {
  let connection: pg.PoolClient | undefined;
  try {
    connection = await pool.connect().catch(async (error: unknown) => {
      if (url === undefined || readCode(error) !== NO_DATABASE) throw error;
      await createDatabase(url);
      return await pool.connect();
    });
    // Polled: a waiting statement would block the indexes that the other worker builds.
    for (const until = Date.now() + TURN_MS; Date.now() < until; await setTimeout(100)) {
      const { rows } = await connection.query<{ mine: boolean }>("SELECT pg_try_advisory_lock($1) AS mine", [LOCK]);
      if (rows[0]?.mine === true) return connection;
    }
  } catch {
    // DBOS has the better error.
  }
  connection?.release();
  return undefined;
}

async function createDatabase(url: string): Promise<void> {
  const home = new URL(url);
  const name = decodeURIComponent(home.pathname.slice(1));
  home.pathname = "/postgres";
  const client = new pg.Client({ connectionString: home.href, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  } catch (error) {
    // Another worker was faster.
    if (!THERE.has(readCode(error))) throw error;
  } finally {
    await client.end();
  }
}

const NO_DATABASE = "3D000";
const THERE: ReadonlySet<unknown> = new Set(["42P04", "23505"]);

function readCode(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
