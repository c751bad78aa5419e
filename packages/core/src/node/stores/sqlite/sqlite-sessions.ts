import { tryOr } from "../../../internal/json.ts";
import type {
  Decide,
  Draft,
  Lease,
  SessionRecords,
  ListOptions,
  SessionFilter,
  SessionInfo,
  SessionSummary,
} from "../../../session/store/store.ts";
import { type Database, encodeKey } from "./sqlite-database.ts";

const TABLES = ["pollux_session", "pollux_record", "pollux_draft"] as const;

function readRow(database: Database, id: string, columns: string): Readonly<Record<string, unknown>> {
  const joins = TABLES.map((table) => `left join ${table} using (key)`).join(" ");
  return database.prepare(`select ${columns} from (select ? as key) ${joins}`).get(encodeKey(id)) ?? {};
}

/** @throws {SyntaxError} When a column is not JSON. */
export function readRecords(database: Database, id: string): SessionRecords {
  return recordsOf(readRow(database, id, "lease, stop_token, draft"));
}

function recordsOf({ lease, draft, stop_token: stopToken }: Readonly<Record<string, unknown>>): SessionRecords {
  return {
    // Written below, from these types.
    ...(typeof lease === "string" && { lease: JSON.parse(lease) as Lease }),
    ...(typeof draft === "string" && { draft: JSON.parse(draft) as Draft }),
    ...(typeof stopToken === "number" && { stopToken }),
  };
}

/** A different text after each change of a session. */
export function readSignature(database: Database, id: string): string {
  return JSON.stringify(readRow(database, id, "length, updated_at, lease, stop_token, stamp"));
}

/** @returns Whether anything changed. @throws When `decide` refuses, before anything is written. */
export function changeSession(database: Database, id: string, decide: Decide): boolean {
  const row = readRow(database, id, "number, length, lease, stop_token");
  const length = Number(row["length"] ?? 0);
  const change = decide({ length, ...recordsOf(row) });
  if (change === undefined) return false;
  const { added = [], info, lease, draft, stopToken } = change;
  const key = encodeKey(id);
  if (lease !== undefined || stopToken !== undefined)
    database
      .prepare(
        "insert into pollux_record (key, lease, stop_token) values (?, ?, ?) on conflict (key) do update set " +
          "lease = coalesce(excluded.lease, lease), stop_token = coalesce(excluded.stop_token, stop_token)",
      )
      .run(key, lease === undefined ? null : JSON.stringify(lease), stopToken ?? null);
  if (draft === null) database.prepare("delete from pollux_draft where key = ?").run(key);
  else if (draft !== undefined)
    database
      .prepare("insert or replace into pollux_draft (key, draft, stamp) values (?, ?, random() % 9007199254740991)")
      .run(key, draft);
  if (added.length === 0) return true;
  const number = Number(
    row["number"] ??
      database.prepare("insert into pollux_session (key, id, length, updated_at) values (?, ?, 0, 0)").run(key, id)
        .lastInsertRowid,
  );
  writeEntries(database, number, length, added);
  database
    .prepare("update pollux_session set length = ?, updated_at = ? where number = ?")
    .run(length + added.length, Date.now(), number);
  if (info !== undefined) writeInfo(database, number, info);
  return true;
}

/** @param texts - The entries as JSON. */
export function writeEntries(database: Database, session: number, position: number, texts: readonly string[]): void {
  const insert = database.prepare("insert into pollux_entry (session, position, entry) values (?, ?, ?)");
  for (const [index, text] of texts.entries()) insert.run(session, position + index, text);
}

/** Replaces a session's info. */
export function writeInfo(database: Database, session: number, info: SessionInfo): void {
  const { owner, metadata, state } = info;
  database.prepare("update pollux_session set info = ?, owner = ?, metadata = ?, state = ? where number = ?").run(
    JSON.stringify(info),
    owner === undefined ? null : JSON.stringify(owner),
    // Each member on its own line.
    metadata === undefined ? null : JSON.stringify(metadata, undefined, 1),
    state,
    session,
  );
}

/** Removes a session and everything that belongs to it. */
export function deleteSession(database: Database, id: string): void {
  const key = encodeKey(id);
  database
    .prepare("delete from pollux_entry where session = (select number from pollux_session where key = ?)")
    .run(key);
  for (const table of TABLES) database.prepare(`delete from ${table} where key = ?`).run(key);
}

export function listSummaries(database: Database, options: ListOptions): SessionSummary[] {
  const { order = "recent", after, limit = 100 } = options;
  const where = conditions(options);
  if (after !== undefined && order === "id") where.push(["key > ?", [encodeKey(after.id)]]);
  if (after !== undefined && order === "recent")
    where.push(["(updated_at, key) < (?, ?)", [after.updatedAt, encodeKey(after.id)]]);
  const by = order === "id" ? "key" : "updated_at desc, key desc";
  return database
    .prepare(`select key, length, updated_at, info from pollux_session where ${textOf(where)} order by ${by} limit ?`)
    .all(...where.flatMap(([, values]) => values), Math.min(limit, Number.MAX_SAFE_INTEGER))
    .map(parseSummary);
}

/** Removes sessions and everything that belongs to them. @returns Their ids. */
export function deleteMatching(database: Database, filter: SessionFilter): string[] {
  const where = conditions(filter);
  const found = database
    .prepare(`select key from pollux_session where ${textOf(where)}`)
    .all(...where.flatMap(([, values]) => values));
  // The column is of this type.
  const ids = found.map(({ key }) => decodeKey(key as Uint8Array));
  for (const id of ids) deleteSession(database, id);
  return ids;
}

/** A summary from a row's `key`, `length`, `updated_at` and `info`. */
export function parseSummary(row: Readonly<Record<string, unknown>>): SessionSummary {
  const { key, length, updated_at: updatedAt, info } = row;
  return {
    // A damaged info is left out: the log does not need it.
    ...(typeof info === "string" && tryOr(() => JSON.parse(info) as SessionInfo, undefined)),
    id: decodeKey(key as Uint8Array),
    length: Number(length),
    updatedAt: Number(updatedAt),
  };
}

type Condition = readonly [sql: string, values: readonly (string | number | Uint8Array)[]];

function textOf(where: readonly Condition[]): string {
  return where.map(([sql]) => sql).join(" and ") || "true";
}

function conditions({ prefix = "", owner, metadata = {}, state, updatedBefore }: SessionFilter): Condition[] {
  const where: Condition[] = [];
  if (prefix !== "") where.push(["key >= ?", [encodeKey(prefix)]]);
  const end = endOfPrefix(prefix);
  if (end !== undefined) where.push(["key < ?", [end]]);
  if (owner !== undefined) where.push(["owner = ?", [JSON.stringify(owner)]]);
  if (state !== undefined) where.push(["state = ?", [state]]);
  if (updatedBefore !== undefined) where.push(["updated_at < ?", [updatedBefore]]);
  // Each member is on its own line, since JSON has no line feed inside a string. SQLite's own functions for JSON would cut strings at NUL,
  // and do not accept half a character.
  for (const [name, value] of Object.entries(metadata))
    where.push(["instr(metadata, ?) > 0", [`\n ${JSON.stringify(name)}: ${JSON.stringify(value)}`]]);
  return where;
}

/** The first key after all keys with a prefix; `undefined` when there is none. */
function endOfPrefix(prefix: string): Uint8Array | undefined {
  const key = encodeKey(prefix);
  let end = key.length;
  while (end > 0 && key[end - 1] === 0xff) end--;
  if (end === 0) return undefined;
  const next = Uint8Array.from(key.subarray(0, end));
  next[end - 1] = (next[end - 1] ?? 0) + 1;
  return next;
}

function decodeKey(key: Uint8Array): string {
  return Buffer.from(key).swap16().toString("utf16le");
}
