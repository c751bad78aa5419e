import { ConfigurationError } from "@pollux/core";
import type { Database, Try } from "./database.ts";
import { isAlreadyThere, isMissingTable } from "./store-error.ts";
import type { Tables } from "./tables.ts";

/** Held while one process changes the tables, by transaction. Any number that others do not use. */
const LOCK = 7_214_930_551;

/**
 * One list of statements for each version; what was released is never changed, only added to.
 *
 * Ids, owners and metadata can be any strings, longer than an index takes and with code units that `text` refuses, so they are found by
 * their SHA-256. Entries are `text`: `json` and `jsonb` refuse `\u0000`, and `jsonb` reorders keys.
 */
function migrations({ sessions, entries, drafts }: Tables): readonly (readonly string[])[] {
  return [
    [
      `create table ${sessions} (
        number bigint generated always as identity primary key,
        hash bytea not null unique,
        key bytea not null,
        id text not null,
        length integer not null default 0,
        updated_at bigint not null default 0,
        info text,
        owner bytea,
        state text,
        metadata bytea[],
        lease text,
        lease_token bigint,
        lease_beat bigint,
        lease_held boolean not null default false,
        releases bigint not null default 0,
        stop_token bigint
      ) with (fillfactor = 80)`,
      `create index on ${sessions} (updated_at desc) where length > 0`,
      `create index on ${sessions} (owner, updated_at desc) where length > 0`,
      `create index on ${sessions} (substring(key from 1 for 512)) where length > 0`,
      `create index on ${sessions} using gin (metadata) where metadata is not null`,
      `comment on column ${sessions}.key is 'the id in big-endian UTF-16'`,
      `comment on column ${sessions}.id is 'the id for people: what text cannot hold is replaced'`,
      `create table ${entries} (
        session bigint not null references ${sessions} on delete cascade,
        position integer not null,
        entry text not null,
        primary key (session, position)
      )`,
      // Unlogged: not written ahead, so it costs next to nothing, and is empty after a crash of the server.
      `create unlogged table ${drafts} (
        session bigint primary key references ${sessions} on delete cascade,
        term bigint not null,
        draft text not null
      )`,
    ],
  ];
}

/** Brings the tables to the version of this code. Any number of processes may do so at once: one does, the others wait. */
export async function migrate(database: Database, tables: Tables): Promise<void> {
  const steps = migrations(tables);
  for (let collisions = 0; (await storedVersion(database, tables)) < steps.length;)
    try {
      await database.transaction((query) => migrateOnce(query, tables, steps));
    } catch (error) {
      // A program that does not take the lock has created the schema meanwhile.
      if (!isAlreadyThere(error) || ++collisions === 3) throw error;
    }
}

/** The next step, when there still is one once the lock is held. */
async function migrateOnce(query: Try["query"], tables: Tables, steps: readonly (readonly string[])[]): Promise<void> {
  await query(`select pg_advisory_xact_lock(${LOCK})::text`);
  const found = await query("select 1::text from pg_namespace where nspname = $1::text", [tables.schemaName]);
  // Only where it is missing: `if not exists` also asks for the right to create it.
  if (found.length === 0) await query(`create schema ${tables.schema}`);
  await query(`create table if not exists ${tables.migrations} (
        version integer primary key,
        applied_at timestamptz not null default now()
      )`);
  const version = checkVersion(await readVersion(query, tables), tables);
  for (const statement of steps[version] ?? []) await query(statement);
  if (version < steps.length)
    await query(`insert into ${tables.migrations} (version) values ($1::integer)`, [version + 1]);
}

/** @throws {ConfigurationError} When the tables don't match this code. */
export async function checkMigrated(database: Database, tables: Tables): Promise<void> {
  const version = await storedVersion(database, tables);
  const current = migrations(tables).length;
  if (version < current)
    throw new ConfigurationError(
      `The schema ${tables.schema} has ${version === 0 ? "no session tables" : `session tables of version ${version}`}, ` +
        `but this release needs version ${current}. Call migrate() once, or leave out \`migrate: false\`.`,
    );
}

async function storedVersion(database: Database, tables: Tables): Promise<number> {
  try {
    return checkVersion(await readVersion((sql) => database.query(sql), tables), tables);
  } catch (error) {
    if (isMissingTable(error)) return 0;
    throw error;
  }
}

async function readVersion(query: Try["query"], tables: Tables): Promise<number> {
  const [row] = await query(`select coalesce(max(version), 0)::text as version from ${tables.migrations}`);
  return Number(row?.["version"] ?? 0);
}

function checkVersion(version: number, tables: Tables): number {
  const current = migrations(tables).length;
  if (version <= current) return version;
  throw new ConfigurationError(
    `The session tables in the schema ${tables.schema} are of version ${version}, and this release of @pollux/postgres ` +
      `knows versions up to ${current}. Update @pollux/postgres in this process.`,
  );
}
