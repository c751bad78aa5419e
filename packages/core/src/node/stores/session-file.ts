import { existsSync } from "node:fs";
import { open, readFile, rename, stat, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { repairSession, type SessionRepair } from "../../doctor/repair-session.ts";
import type { LogLine } from "../../doctor/read-log.ts";
import { ConfigurationError, messageOf } from "../../errors/agent-error.ts";
import { SessionStoreError } from "../../errors/run-errors.ts";
import { tryOr } from "../../internal/json.ts";
import type { SessionEntry } from "../../session/log/entries.ts";
import { describeLog } from "../../session/store/session-info.ts";
import type { SessionSummary } from "../../session/store/store.ts";
import { takeLock, waitForHolder } from "./file-lock.ts";
import { findLineEnds, readSessionId, readState, syncFolder, utf8, writeState } from "./jsonl/jsonl-format.ts";
import { type Database, encodeKey, openSessionTables, transaction } from "./sqlite/sqlite-database.ts";
import { isBusy, orStoreError, storeError } from "./store-error.ts";
import { parseSummary, writeEntries, writeInfo } from "./sqlite/sqlite-sessions.ts";
import { placeOf, takeTurn } from "./sqlite/sqlite-turns.ts";

/** A session as stored in a file. */
export interface StoredSession extends Pick<SessionSummary, "length" | "updatedAt"> {
  /** Absent when the file's name does not contain it. */
  readonly id: string | undefined;
  /** Its log, in any condition: for `checkSession` and `repairSession`. */
  lines(): readonly LogLine[];
}

/** A file of sessions, open for reading. */
export interface SessionFile extends Disposable {
  /** What `position` counts: lines of a `JsonlStore`'s file, or entries of a session in a `SqliteStore`'s. */
  readonly unit: "line" | "entry";
  readonly sessions: readonly StoredSession[];
}

/** What {@link repairSessionFile} did. */
export interface SessionFileRepair {
  readonly unit: "line" | "entry";
  readonly repairs: readonly (SessionRepair & { readonly id: string | undefined })[];
  /** The file with the repaired log; absent when there was nothing to write. */
  readonly written: string | undefined;
  /** The original file, when it was repaired in place. */
  readonly backup: string | undefined;
}

/** How long to wait for a process that is writing to the file. */
const WAIT_MS = 10_000;

/**
 * Opens a session file of a `JsonlStore`, or the file of a `SqliteStore`, in any condition. Changes nothing.
 *
 * @param options - `session`: id of one session of a database; all by default.
 * @throws {ConfigurationError} When the file cannot be read, or has no such session.
 * @throws {SessionStoreError} When another process keeps writing to it for 10 seconds.
 *
 * @example
 * using file = await openSessionFile("sessions.db");
 * for (const session of file.sessions) console.log(session.id, checkSession(session.lines()).problems);
 */
export async function openSessionFile(
  file: string,
  options: { readonly session?: string | undefined } = {},
): Promise<SessionFile> {
  if (!(await isDatabase(file, options.session))) {
    const id = await idOfFile(file);
    const { lines } = await readJsonl(file, id);
    const { mtimeMs } = await stat(file);
    const session: StoredSession = { id, length: lines.length, updatedAt: mtimeMs, lines: () => lines };
    return { unit: "line", sessions: [session], [Symbol.dispose]: () => {} };
  }
  const database = await openDatabase(file);
  try {
    const rows = await whenFree("read", file, () => listSessions(database, options.session, file));
    const sessions = rows.map((row): StoredSession => ({
      ...row,
      lines: () => readRows(database, row).lines,
    }));
    return { unit: "entry", sessions, [Symbol.dispose]: () => database.close() };
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Repairs a session file of a `JsonlStore`, or sessions of a `SqliteStore`, as `repairSession` does, and writes the result to
 * `FILE.repaired`. Unchanged entries are copied byte for byte.
 *
 * @param options - `session`: id of one session of a database; all by default. `inPlace`: repairs the file itself, and keeps
 * the original as `FILE.bak`.
 * @throws {ConfigurationError} When the file cannot be used, or the one to write already exists.
 * @throws {SessionStoreError} When another process keeps writing to it for 10 seconds.
 */
export async function repairSessionFile(
  file: string,
  options: { readonly session?: string | undefined; readonly inPlace?: boolean | undefined } = {},
): Promise<SessionFileRepair> {
  const { session, inPlace = false } = options;
  const target = `${file}.${inPlace ? "bak" : "repaired"}`;
  if (existsSync(target)) throw new ConfigurationError(`${target} already exists; move it away first`);
  const isSqlite = await isDatabase(file, session);
  const repairs = isSqlite ? await repairDatabase(file, session, inPlace) : [await repairJsonl(file, inPlace)];
  const isWritten = repairs.some(({ done }) => done.length > 0);
  return {
    unit: isSqlite ? "entry" : "line",
    repairs,
    written: isWritten ? (inPlace ? file : target) : undefined,
    backup: isWritten && inPlace ? target : undefined,
  };
}

/** @throws {ConfigurationError} When the file cannot be read, or a session is selected in a file of a single session. */
async function isDatabase(file: string, session: string | undefined): Promise<boolean> {
  let isSqlite: boolean;
  try {
    await using handle = await open(file, "r");
    const { buffer } = await handle.read(Buffer.alloc(16), 0, 16, 0);
    isSqlite = buffer.toString("latin1") === "SQLite format 3\0";
  } catch (error) {
    throw new ConfigurationError(`${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  if (isSqlite || session === undefined) return isSqlite;
  throw new ConfigurationError(`a session can be selected only in an SQLite file; ${file} is a single session`);
}

async function idOfFile(file: string): Promise<string | undefined> {
  return await readSessionId(dirname(file), basename(file).replace(/\.jsonl(?:\.(?:repaired|bak))?$/, ""));
}

async function readJsonl(file: string, id: string | undefined): Promise<ParsedLog> {
  const log = parseLog(await readFile(file));
  if (!log.lines.some((line) => "torn" in line)) return log;
  // Another process may be writing the end.
  await orStoreError(id ?? file, "its log cannot be read", waitForHolder(beside(file, "lock"), WAIT_MS));
  return parseLog(await readFile(file));
}

/** A log as it was read, in any condition. */
interface ParsedLog {
  readonly lines: readonly LogLine[];
  /** The text each entry was read from, so that unchanged entries are written back verbatim. */
  readonly texts: WeakMap<object, string>;
}

/** Reads a whole file. Never throws: a line that cannot be read has a `problem`. */
function parseLog(data: Uint8Array): ParsedLog {
  const texts = new WeakMap<object, string>();
  const ends = findLineEnds(data);
  const lines = ends.map((end, index): LogLine => {
    const bytes = data.subarray(ends[index - 1] ?? 0, end);
    const text = tryOr<string | undefined>(() => utf8.decode(bytes).trimEnd(), undefined);
    return text === undefined ? { problem: "it is not UTF-8", text: lenient.decode(bytes) } : parseEntry(text, texts);
  });
  const rest = data.length - (ends.at(-1) ?? 0);
  if (rest > 0)
    lines.push({ problem: `it was cut off while being written (${rest.toLocaleString("en-US")} bytes)`, torn: true });
  return { lines, texts };
}

const lenient = new TextDecoder();

function parseEntry(text: string, texts: ParsedLog["texts"]): LogLine {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) texts.set(value, text);
    return { value };
  } catch (error) {
    return { problem: `it is not JSON (${messageOf(error)})`, text };
  }
}

async function repairJsonl(file: string, inPlace: boolean): Promise<FileRepair> {
  const id = await idOfFile(file);
  if (!inPlace) {
    const { repair, entries } = repairLog(id, await readJsonl(file, id));
    if (repair.done.length > 0) await writeLike(file, `${file}.repaired`, linesOf(entries), "wx");
    return repair;
  }
  // So that no other process writes meanwhile.
  const lock = takeLock(beside(file, "lock"), WAIT_MS);
  const release = await orStoreError(id ?? file, "its log cannot be written", lock);
  try {
    const data = await readFile(file);
    const { repair, entries } = repairLog(id, parseLog(data));
    if (repair.done.length > 0) await replaceLog(file, data, linesOf(entries), repair.entries);
    return repair;
  } finally {
    release();
  }
}

type FileRepair = SessionFileRepair["repairs"][number];

/** @returns The repair, and its entries as JSON. */
function repairLog(id: string | undefined, { lines, texts }: ParsedLog) {
  const repair = { id, ...repairSession(lines) };
  return { repair, entries: repair.entries.map((entry) => texts.get(entry) ?? JSON.stringify(entry)) };
}

function linesOf(entries: readonly string[]): string {
  return entries.map((entry) => `${entry}\n`).join("");
}

async function replaceLog(file: string, before: Buffer, text: string, entries: readonly SessionEntry[]): Promise<void> {
  await writeLike(file, `${file}.bak`, before, "wx");
  const path = beside(file, "state");
  const state = readState(path, before.length);
  // The current state with the info of the repaired log: it no longer depends on the old one.
  if (state !== undefined) {
    const { lease, stopToken, info } = state;
    writeState(path, { lease, stopToken, info: describeLog(entries) ?? info });
  }
  // Replaces the file, so that processes that have read it notice.
  await writeLike(file, `${file}.new`, text, "w");
  await rename(`${file}.new`, file);
  await syncFolder(dirname(file));
}

async function writeLike(file: string, target: string, data: string | Buffer, flag: "w" | "wx"): Promise<void> {
  const { mode } = await stat(file);
  await writeFile(target, data, { flag, flush: true, mode });
}

/** The file beside a log with another ending. */
function beside(file: string, ending: "lock" | "state"): string {
  return `${file.replace(/\.jsonl$/, "")}.${ending}`;
}

interface SessionRow extends SessionSummary {
  readonly number: number;
}

async function openDatabase(file: string): Promise<Database> {
  try {
    return await whenFree("read", file, () => openSessionTables(file, "read"));
  } catch (error) {
    if (error instanceof SessionStoreError) throw error;
    throw new ConfigurationError(`${file} has no readable sessions: ${messageOf(error)}`, { cause: error });
  }
}

/** @throws {SessionStoreError} When another process has the file locked for too long. */
async function whenFree<Result>(kind: "read" | "write", file: string, work: () => Result): Promise<Result> {
  try {
    return await takeTurn(kind, placeOf(file), { waitMs: WAIT_MS }, work);
  } catch (error) {
    if (!isBusy(error)) throw error;
    throw storeError(file, kind === "read" ? "its sessions cannot be read" : "its sessions cannot be written", error);
  }
}

/** All sessions in the order of their ids, or the selected one. */
function listSessions(database: Database, id: string | undefined, file: string): readonly SessionRow[] {
  const rows = database
    .prepare("select number, key, length, updated_at from pollux_session where ? is null or key = ? order by key")
    .all(id ?? null, id === undefined ? null : encodeKey(id));
  if (id !== undefined && rows.length === 0) throw new ConfigurationError(`${file} has no session "${id}"`);
  return rows.map((row) => ({ ...parseSummary(row), number: Number(row["number"]) }));
}

function readRows(database: Database, { number, length }: SessionRow): ParsedLog {
  const texts = new WeakMap<object, string>();
  const lines: LogLine[] = [];
  const rows = database
    .prepare("select position, entry from pollux_entry where session = ? order by position")
    .all(number);
  for (const { position, entry } of rows) {
    if (Number(position) > lines.length) lines.push({ problem: describeGap(lines.length, Number(position)) });
    lines.push(parseEntry(String(entry), texts));
  }
  if (rows.length < length && lines.length === rows.length) lines.push({ problem: describeGap(rows.length, length) });
  return { lines, texts };
}

function describeGap(from: number, to: number): string {
  return to - from === 1 ? "it is missing" : `entries ${from} to ${to - 1} are missing`;
}

async function repairDatabase(file: string, id: string | undefined, inPlace: boolean): Promise<readonly FileRepair[]> {
  using database = closing(await openDatabase(file));
  const found = await whenFree("read", file, () =>
    listSessions(database.it, id, file).map((row) => repairLog(row.id, readRows(database.it, row)).repair),
  );
  const damaged = new Set(found.filter(({ done }) => done.length > 0).map((one) => one.id));
  if (damaged.size === 0) return found;
  const target = `${file}.${inPlace ? "bak" : "repaired"}`;
  // A complete copy, in a new file.
  await whenFree("read", file, () => database.it.prepare("vacuum into ?").run(target));
  const changed = inPlace ? file : target;
  using written = closing(await whenFree("write", changed, () => openSessionTables(changed, "write")));
  // Read again: another process may have written meanwhile.
  const repaired = await whenFree("write", changed, () =>
    transaction(written.it, () => {
      const rows = listSessions(written.it, id, file).filter((row) => damaged.has(row.id));
      return new Map<string | undefined, FileRepair>(rows.map((row) => [row.id, repairRows(written.it, row)]));
    }),
  );
  return found.map((one) => repaired.get(one.id) ?? one);
}

function repairRows(database: Database, row: SessionRow): FileRepair {
  const { repair, entries } = repairLog(row.id, readRows(database, row));
  if (repair.done.length === 0) return repair;
  database.prepare("delete from pollux_entry where session = ?").run(row.number);
  writeEntries(database, row.number, 0, entries);
  const info = describeLog(repair.entries);
  if (info !== undefined) writeInfo(database, row.number, info);
  // Stores have no empty sessions.
  if (entries.length === 0) database.prepare("delete from pollux_session where number = ?").run(row.number);
  else database.prepare("update pollux_session set length = ? where number = ?").run(entries.length, row.number);
  return repair;
}

/** In Node 22, a database is not disposable. */
function closing<Resource extends { close(): void }>(it: Resource): Disposable & { readonly it: Resource } {
  return { it, [Symbol.dispose]: () => it.close() };
}
