import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { compareSummaries, type ListOptions, matchesFilter, type SessionSummary } from "../../../session/store.ts";
import { ifThere, readState } from "./jsonl-records.ts";
import { readSessionId, sessionFileName } from "./session-file-name.ts";

const ENDING = ".jsonl";

/** Sessions whose files are read at the same time. */
const AT_ONCE = 32;

/** Where a session stands in a list. */
type Place = Pick<SessionSummary, "id" | "updatedAt">;

/**
 * The sessions of a folder. By recency they are ordered by the times of their files, so only those of the page are read; and no log
 * is, where its `.state` says how long it is.
 *
 * @param read - The summary of a session whose log has to be read.
 */
export async function listFolder(
  folder: string,
  options: ListOptions,
  read: (id: string) => Promise<SessionSummary | undefined>,
): Promise<readonly SessionSummary[]> {
  const { order = "recent", after, limit = 100, prefix = "" } = options;
  const ids = (await idsOf(folder)).filter((id) => id.startsWith(prefix));
  const places =
    order === "id"
      ? ids.map((id): Place => ({ id, updatedAt: 0 }))
      : await Promise.all(ids.map(async (id): Promise<Place> => ({ id, updatedAt: await writtenAt(folder, id) })));
  const compare = compareSummaries(order);
  const rest = places.filter((place) => after === undefined || compare(after, place) < 0).toSorted(compare);
  const found: SessionSummary[] = [];
  for (let at = 0; at < rest.length && found.length < limit; at += AT_ONCE) {
    const some = rest.slice(at, at + AT_ONCE);
    const summaries = await Promise.all(
      some.map(async ({ id }) => (await quickSummary(folder, id)) ?? (await read(id))),
    );
    for (const [index, summary] of summaries.entries()) {
      if (summary === undefined) continue;
      // By the time that put it here: it may have been written to since.
      const { updatedAt } = order === "id" ? summary : (some[index] ?? summary);
      const one = { ...summary, updatedAt };
      if (matchesFilter(one, options)) found.push(one);
    }
  }
  return found.slice(0, limit);
}

async function idsOf(folder: string): Promise<string[]> {
  const ids: string[] = [];
  for (const file of (await ifThere(readdir(folder))) ?? []) {
    if (!file.endsWith(ENDING)) continue;
    const id = await readSessionId(folder, file.slice(0, -ENDING.length));
    if (id !== undefined) ids.push(id);
  }
  return ids;
}

/** 0 for a session that was removed meanwhile. */
async function writtenAt(folder: string, id: string): Promise<number> {
  const found = await ifThere(stat(logOf(folder, id)));
  return Math.floor(found?.mtimeMs ?? 0);
}

/** The summary of a session whose state says how long its log is. */
async function quickSummary(folder: string, id: string): Promise<SessionSummary | undefined> {
  const log = await ifThere(stat(logOf(folder, id)));
  if (log === undefined) return undefined;
  const { length = 0, bytes, info } = readState(join(folder, `${sessionFileName(id)}.state`), log.size) ?? {};
  if (bytes !== log.size || length === 0) return undefined;
  return { ...info, id, length, updatedAt: Math.floor(log.mtimeMs) };
}

function logOf(folder: string, id: string): string {
  return join(folder, `${sessionFileName(id)}${ENDING}`);
}
