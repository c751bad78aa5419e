import { existsSync } from "node:fs";
import { repairSession, type SessionRepair } from "../doctor/repair-session.ts";
import { readJsonlSession, repairJsonlInPlace, writeRepairedJsonl } from "./jsonl-session.ts";
import { type SessionCliOptions, UsageError } from "./session-cli-options.ts";
import { choose, isSqlite, noSession, openDatabase } from "./session-file.ts";
import {
  copyDatabase,
  openSessions,
  readSqliteSession,
  repairSqlite,
  sessionsIn,
  type SqliteSession,
} from "./sqlite-session.ts";

/** What was done to a file. */
export interface FileRepair {
  /** What a place in the log is called. */
  readonly unit: "line" | "entry";
  readonly repairs: readonly { readonly id: string | undefined; readonly repair: SessionRepair }[];
  /** The file with the repaired log; absent when there was nothing to write. */
  readonly written: string | undefined;
  /** Where the file from before is kept, if it was repaired in place. */
  readonly kept: string | undefined;
}

/**
 * Repairs a file of a JsonlStore, or sessions of a SqliteStore's.
 *
 * @throws {UsageError} When the file cannot be used, or the one to write is there already.
 */
export async function repairFile({ file, session, inPlace }: SessionCliOptions): Promise<FileRepair> {
  const target = `${file}.${inPlace ? "bak" : "repaired"}`;
  if (existsSync(target)) throw new UsageError(`${target} is there already; move it away first`);
  const isDatabase = await isSqlite(file);
  if (!isDatabase) noSession(session, file);
  const done = isDatabase ? repairDatabase(file, session, inPlace) : await repairLines(file, inPlace);
  const isWritten = done.repairs.some(({ repair }) => repair.done.length > 0);
  return {
    ...done,
    written: isWritten ? (inPlace ? file : target) : undefined,
    kept: isWritten && inPlace ? target : undefined,
  };
}

type Done = Pick<FileRepair, "unit" | "repairs">;

async function repairLines(file: string, inPlace: boolean): Promise<Done> {
  const stored = await readJsonlSession(file);
  const { id } = stored;
  if (inPlace) return { unit: "line", repairs: [{ id, repair: await repairJsonlInPlace(file) }] };
  const repair = repairSession(stored.lines);
  if (repair.done.length > 0) await writeRepairedJsonl(file, stored, repair.entries);
  return { unit: "line", repairs: [{ id, repair }] };
}

function repairDatabase(file: string, id: string | undefined, inPlace: boolean): Done {
  using database = closing(openDatabase(file, "read"));
  const chosen = choose(sessionsIn(database.it), id, file);
  const found = chosen.map((session) => ({
    session,
    repair: repairSession(readSqliteSession(database.it, session).lines),
  }));
  const damaged = found.filter(({ repair }) => repair.done.length > 0).map(({ session }) => session);
  if (damaged.length === 0) return { unit: "entry", repairs: found.map(named) };
  copyDatabase(database.it, `${file}.${inPlace ? "bak" : "repaired"}`);
  using written = closing(openSessions(inPlace ? file : `${file}.repaired`, "write"));
  // Read anew: somebody may have written meanwhile.
  const again = new Map(repairSqlite(written.it, damaged).map((one) => [one.session.number, one]));
  return { unit: "entry", repairs: found.map((one) => named(again.get(one.session.number) ?? one)) };
}

function named({ session, repair }: { session: SqliteSession; repair: SessionRepair }): FileRepair["repairs"][number] {
  return { id: session.id, repair };
}

/** Node 22 cannot dispose of a database by itself. */
function closing<Resource extends { close(): void }>(it: Resource): Disposable & { readonly it: Resource } {
  return { it, [Symbol.dispose]: () => it.close() };
}
