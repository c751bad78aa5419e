import { constants } from "node:fs";
import { copyFile, open, readFile, rename, stat, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { SessionEntry } from "../session/entries.ts";
import type { LogLine } from "../doctor/read-lines.ts";
import { repairSession, type SessionRepair } from "../doctor/repair-session.ts";
import { syncFolder } from "./file-io.ts";
import { lockChangesHands, takeLock } from "./file-lock.ts";
import { readSessionId } from "./jsonl-file.ts";
import { scanLines } from "./jsonl-lines.ts";
import { isShortened, sessionIdOf } from "./session-file-name.ts";
import { readBytes, type StoredSession, textOf } from "./stored-session.ts";

/** How long to wait for a process that writes to the file. */
const WAIT_MS = 10_000;

/** Reads the file of one session, whatever state it is in. */
export async function readJsonlSession(file: string): Promise<StoredSession> {
  const found = parse(await readFile(file), await idOf(file));
  if (!found.lines.some((line) => "torn" in line)) return found;
  // Somebody may just be writing it.
  await lockChangesHands(lockOf(file), { waitMs: WAIT_MS });
  return parse(await readFile(file), found.id);
}

/** Writes a repaired log beside the file. @throws When there is such a file. */
export async function writeRepairedJsonl(
  file: string,
  session: StoredSession,
  entries: readonly SessionEntry[],
): Promise<void> {
  const { mode } = await stat(file);
  await writeFile(`${file}.repaired`, textsOf(session, entries), { flag: "wx", flush: true, mode });
}

/**
 * Repairs the file itself, while nobody else writes to it, and keeps what was there as `FILE.bak`.
 *
 * @throws When there is such a file.
 */
export async function repairJsonlInPlace(file: string): Promise<SessionRepair> {
  const giveBack = await takeLock(lockOf(file), { waitMs: WAIT_MS });
  try {
    const session = parse(await readFile(file), undefined);
    const repair = repairSession(session.lines);
    if (repair.done.length === 0) return repair;
    await copyFile(file, `${file}.bak`, constants.COPYFILE_EXCL);
    await sync(`${file}.bak`);
    const { mode } = await stat(file);
    // A new file in the place of the old one: a process that has the old one open finds out.
    await writeFile(`${file}.new`, textsOf(session, repair.entries), { flush: true, mode });
    await rename(`${file}.new`, file);
    await syncFolder(dirname(file));
    return repair;
  } finally {
    giveBack();
  }
}

function parse(data: Uint8Array, id: string | undefined): StoredSession {
  const texts = new WeakMap<object, string>();
  const { ends, bytes } = scanLines(data);
  const lines = ends.map((end, index): LogLine => readBytes(data.subarray(ends[index - 1] ?? 0, end), texts));
  const rest = data.length - bytes;
  if (rest > 0)
    lines.push({
      problem: `it was cut off while it was written (${rest.toLocaleString("en-US")} bytes)`,
      torn: true,
    });
  return { id, lines, texts };
}

function textsOf(session: StoredSession, entries: readonly SessionEntry[]): string {
  return entries.map((entry) => `${textOf(entry, session)}\n`).join("");
}

async function idOf(file: string): Promise<string | undefined> {
  const name = basename(file).replace(/\.jsonl(?:\.(?:repaired|bak))?$/, "");
  return isShortened(name) ? await readSessionId(dirname(file), name) : sessionIdOf(name);
}

function lockOf(file: string): string {
  return `${file.replace(/\.jsonl$/, "")}.lock`;
}

async function sync(file: string): Promise<void> {
  await using handle = await open(file, "r+");
  await handle.sync();
}
