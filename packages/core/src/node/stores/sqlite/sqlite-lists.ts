import type { ListOptions, SessionFilter, SessionInfo, SessionSummary } from "../../../session/store/store.ts";
import { type Database, encodeKey } from "./sqlite-database.ts";
import { deleteSession } from "./sqlite-session.ts";

type Value = string | number | Uint8Array;

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

/** Removes sessions with all that belongs to them. @returns Their ids. */
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
    ...parseInfo(info),
    id: decodeKey(key as Uint8Array),
    length: Number(length),
    updatedAt: Number(updatedAt),
  };
}

/** Nothing for a damaged one: the log does not need it. */
function parseInfo(text: unknown): SessionInfo | undefined {
  try {
    return typeof text === "string" ? (JSON.parse(text) as SessionInfo) : undefined;
  } catch {
    return undefined;
  }
}

type Condition = readonly [sql: string, values: readonly Value[]];

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
  for (const [name, value] of Object.entries(metadata))
    where.push(["instr(metadata, ?) > 0", [metadataLine(name, value)]]);
  return where;
}

/**
 * One member of the metadata as it stands in the column: on a line of its own, as JSON has no line feed inside a string. SQLite's own
 * functions for JSON would take strings apart at NUL, and cannot be given half a character.
 */
function metadataLine(name: string, value: string): string {
  return `\n ${JSON.stringify(name)}: ${JSON.stringify(value)}`;
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
