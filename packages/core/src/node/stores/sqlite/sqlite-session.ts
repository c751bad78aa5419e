import type { Decide } from "../../../session/store/changes.ts";
import type { Draft, Lease, SessionRecords } from "../../../session/store/records.ts";
import type { SessionInfo } from "../../../session/store/store.ts";
import { type Database, encodeKey } from "./sqlite-database.ts";

/** Tables with a row for each session, by its key. */
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

/** Another text after each change of a session. */
export function readSignature(database: Database, id: string): string {
  return JSON.stringify(readRow(database, id, "length, updated_at, lease, stop_token, stamp"));
}

/** @returns Whether anything changed. @throws When it is refused, before anything is written. */
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

/** Replaces what a session says about itself. */
export function writeInfo(database: Database, session: number, info: SessionInfo): void {
  const { owner, metadata, state } = info;
  database.prepare("update pollux_session set info = ?, owner = ?, metadata = ?, state = ? where number = ?").run(
    JSON.stringify(info),
    owner === undefined ? null : JSON.stringify(owner),
    // Each member on a line of its own.
    metadata === undefined ? null : JSON.stringify(metadata, undefined, 1),
    state,
    session,
  );
}

/** Removes a session with all that belongs to it. */
export function deleteSession(database: Database, id: string): void {
  const key = encodeKey(id);
  database
    .prepare("delete from pollux_entry where session = (select number from pollux_session where key = ?)")
    .run(key);
  for (const table of TABLES) database.prepare(`delete from ${table} where key = ?`).run(key);
}
