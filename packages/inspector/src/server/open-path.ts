import { open, readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { ConfigurationError, type SessionStore } from "@pollux/core";
import type { LogLine } from "@pollux/core/doctor";
import { JsonlStore, openSessionFile, SqliteStore } from "@pollux/core/node";
import { isRecording, readRecording } from "../inspection/recording.ts";
import { entryOf, SessionFold } from "../inspection/session-fold.ts";
import { summaryOf } from "../inspection/summary-of.ts";
import { type ReadOnlySession, ReadOnlyStore } from "./read-only-store.ts";
import { viewStore } from "./store-view.ts";

/** The sessions at a path. */
export interface OpenedPath extends AsyncDisposable {
  /** The absolute path. */
  readonly title: string;
  readonly store: SessionStore;
  /** Set for recordings, which have both. */
  readonly exchanges?: SessionStore | undefined;
}

/**
 * Opens the sessions at a path: the folder of a `JsonlStore`, one of its files, the file of a `SqliteStore`, or recordings of
 * `recordFetch`, as a file or a folder. Changes nothing. A damaged log opens with all of its readable lines.
 *
 * @throws {ConfigurationError} When there are none, or this version of Node can't read them.
 */
export async function openPath(given: string): Promise<OpenedPath> {
  const path = resolve(given);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined)
    throw new ConfigurationError(`${given} doesn't exist: pass a session store, a session file or recordings.`);
  if (found.isDirectory()) return await openFolder(path);
  if (await isDatabase(path)) return openDatabase(path);
  if (path.endsWith(".json")) return await openRecordings(path, [path]);
  if (/\.jsonl(?:\.(?:repaired|bak))?$/.test(path)) return await openFile(path);
  throw new ConfigurationError(
    `${given} can't be inspected: it is not a .jsonl file of a JsonlStore, a file of a SqliteStore or a recording.`,
  );
}

async function openFolder(path: string): Promise<OpenedPath> {
  const names = await readdir(path, { recursive: true });
  // A JsonlStore writes no subfolders.
  if (names.some((name) => name.endsWith(".jsonl") && !name.includes("/") && !name.includes("\\")))
    return opened(
      path,
      viewStore(new JsonlStore(path), (id) => linesOfSession(path, id)),
    );
  const recordings = names.filter((name) => name.endsWith(".json"));
  const files = recordings.map((name) => join(path, name));
  if (files.length > 0) return await openRecordings(path, files);
  throw new ConfigurationError(
    `${path} has no sessions: the folder of a JsonlStore has .jsonl files, and a folder of recordings has .json files.`,
  );
}

function openDatabase(path: string): OpenedPath {
  const store = new SqliteStore(path);
  const lines = (session: string): Promise<readonly LogLine[] | undefined> => linesIn(path, { session });
  return { ...opened(path, viewStore(store, lines)), [Symbol.asyncDispose]: async () => store[Symbol.dispose]() };
}

async function linesIn(...file: Parameters<typeof openSessionFile>): Promise<readonly LogLine[] | undefined> {
  using found = await openSessionFile(...file);
  return found.sessions[0]?.lines();
}

async function openFile(path: string): Promise<OpenedPath> {
  using file = await openSessionFile(path);
  const [session] = file.sessions;
  if (session?.id !== undefined && path.endsWith(".jsonl"))
    return opened(
      path,
      viewStore(new JsonlStore(dirname(path)), () => linesIn(path), session.id),
    );
  const entries = (session?.lines() ?? []).map(entryOf);
  const id = session?.id ?? basename(path);
  const summary = summaryOf(SessionFold.of(id, entries), session?.updatedAt ?? 0);
  return opened(path, new ReadOnlyStore([{ summary, load: async () => entries }]));
}

async function openRecordings(path: string, files: readonly string[]): Promise<OpenedPath> {
  const sessions: ReadOnlySession[] = [];
  const keeps: ReadOnlySession[] = [];
  for (const file of files) {
    const { mtimeMs } = await stat(file);
    const parse = async (): Promise<unknown> => JSON.parse(await readFile(file, "utf8"));
    const content = await parse().catch(() => undefined);
    if (!isRecording(content)) continue;
    const id = file === path ? basename(file) : file.slice(path.length + 1).replaceAll("\\", "/");
    const { entries, exchanges } = readRecording(content);
    const summary = summaryOf(SessionFold.of(id, entries), mtimeMs);
    sessions.push({ summary, load: async () => readRecording(await parse()).entries });
    const kept = { id, length: exchanges.length, updatedAt: mtimeMs };
    keeps.push({ summary: kept, load: async () => readRecording(await parse()).exchanges });
  }
  if (sessions.length === 0) throw new ConfigurationError(`${path} has no recordings: no file in it has exchanges.`);
  return { ...opened(path, new ReadOnlyStore(sessions)), exchanges: new ReadOnlyStore(keeps) };
}

function opened(title: string, store: SessionStore): OpenedPath {
  return { title, store, [Symbol.asyncDispose]: async () => {} };
}

async function isDatabase(path: string): Promise<boolean> {
  await using handle = await open(path, "r");
  const { buffer } = await handle.read(Buffer.alloc(16), 0, 16, 0);
  return buffer.toString("latin1") === "SQLite format 3\0";
}

/** The lines of a session's file, which usually has the id as its name. */
async function linesOfSession(folder: string, id: string): Promise<readonly LogLine[] | undefined> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".jsonl"));
  const likely = `${id}.jsonl`;
  for (const name of names.toSorted((a, b) => Number(b === likely) - Number(a === likely))) {
    using file = await openSessionFile(join(folder, name));
    if (file.sessions[0]?.id === id) return file.sessions[0].lines();
  }
  return undefined;
}
