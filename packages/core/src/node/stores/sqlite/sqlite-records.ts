import type { Draft, Lease, SessionRecords } from "../../../session/store/records.ts";
import type { Database } from "./sqlite-database.ts";

/** @throws {SyntaxError} When a column is not JSON. */
export function readRecords(database: Database, key: Uint8Array): SessionRecords {
  const found = database
    .prepare(
      "select lease, stop_token, draft from pollux_record left join pollux_draft using (key) where pollux_record.key = ?",
    )
    .get(key);
  const { lease, draft, stop_token: stopToken } = found ?? {};
  return {
    // Written below, from these types.
    ...(typeof lease === "string" && { lease: JSON.parse(lease) as Lease }),
    ...(typeof draft === "string" && { draft: JSON.parse(draft) as Draft }),
    ...(stopToken !== null && stopToken !== undefined && { stopToken: Number(stopToken) }),
  };
}

export function readLease(database: Database, key: Uint8Array): Lease | undefined {
  const lease = database.prepare("select lease from pollux_record where key = ?").get(key)?.["lease"];
  return typeof lease === "string" ? (JSON.parse(lease) as Lease) : undefined;
}

export function writeLease(database: Database, key: Uint8Array, lease: Lease): void {
  database
    .prepare(
      "insert into pollux_record (key, lease) values (?, ?) on conflict (key) do update set lease = excluded.lease",
    )
    .run(key, JSON.stringify(lease));
  if (!lease.held) writeDraft(database, key, undefined);
}

/** @param text - The draft as JSON. */
export function writeDraft(database: Database, key: Uint8Array, text: string | undefined): void {
  if (text === undefined) database.prepare("delete from pollux_draft where key = ?").run(key);
  else
    database
      .prepare("insert or replace into pollux_draft (key, draft, stamp) values (?, ?, random() % 9007199254740991)")
      .run(key, text);
}

export function writeStop(database: Database, key: Uint8Array, token: number): void {
  const isThere =
    "exists (select 1 from pollux_session where key = ?1) or exists (select 1 from pollux_record where key = ?1)";
  database
    .prepare(
      `insert into pollux_record (key, stop_token) select ?1, ?2 where ${isThere} ` +
        "on conflict (key) do update set stop_token = max(coalesce(stop_token, 0), excluded.stop_token)",
    )
    .run(key, token);
}

/** Another text after each change of a session. */
export function readSignature(database: Database, key: Uint8Array): string {
  const found = database
    .prepare(
      "select length, updated_at, lease, stop_token, stamp from (select ? as key) " +
        "left join pollux_session using (key) left join pollux_record using (key) left join pollux_draft using (key)",
    )
    .get(key);
  return JSON.stringify(found);
}
