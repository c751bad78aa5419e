import { type Stats, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import {
  compareSummaries,
  type ListOptions,
  matchesFilter,
  type SessionSummary,
} from "../../../session/store/store.ts";
import { ifThere, readSessionId, readState } from "./jsonl-format.ts";

const ENDING = ".jsonl";

/** Sessions whose files are looked at in one turn of the event loop. */
const AT_ONCE = 64;

/** Summaries that are remembered, about half a kilobyte each. */
const MAX_KNOWN = 20_000;

/** How old a file has to be before its time tells it apart from the next version, in milliseconds. */
const SETTLED_MS = 2000;

/** What is remembered of a session. */
interface Known {
  readonly id: string;
  /** Of its files, without extension. */
  readonly name: string;
  /** As `.state` gives it; absent before it was read, and while it may be replaced unnoticed. */
  summary?: SessionSummary | undefined;
  /** The files that it was read from. */
  signature?: string | undefined;
}

/** Where a session stands in a list. */
interface Place extends Pick<SessionSummary, "id" | "updatedAt"> {
  readonly known: Known;
}

/**
 * Lists of the sessions in one folder. By recency they are ordered by the times of their files, so only those of the page are read; no
 * log is, where its `.state` says how long it is; and no `.state` is that has not changed since it was last read.
 */
export class JsonlLists {
  readonly #folder: string;
  /** By the name of the files, the oldest first. */
  readonly #known: Map<string, Known> = new Map();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param read - The summary of a session whose log has to be read. */
  async list(
    options: ListOptions,
    read: (id: string) => Promise<SessionSummary | undefined>,
  ): Promise<readonly SessionSummary[]> {
    const { order = "recent", after, limit = 100, prefix = "" } = options;
    const compare = compareSummaries(order);
    const places = (await this.#places(prefix, order === "recent"))
      .filter((place) => after === undefined || compare(after, place) < 0)
      .toSorted(compare);
    const found: SessionSummary[] = [];
    for (let at = 0; at < places.length && found.length < limit; at += AT_ONCE) {
      if (at > 0) await setImmediate();
      const summaries = await Promise.all(
        places.slice(at, at + AT_ONCE).map(async ({ known, updatedAt }) => {
          const summary = this.#quickSummary(known) ?? (await read(known.id));
          // By the time that put it here: it may have been written to since.
          return summary && (order === "recent" ? { ...summary, updatedAt } : summary);
        }),
      );
      for (const one of summaries) if (one !== undefined && matchesFilter(one, options)) found.push(one);
    }
    return found.slice(0, limit);
  }

  async #places(prefix: string, timed: boolean): Promise<readonly Place[]> {
    const places: Place[] = [];
    for (const file of (await ifThere(readdir(this.#folder))) ?? []) {
      if (!file.endsWith(ENDING)) continue;
      const name = file.slice(0, -ENDING.length);
      const known = this.#known.get(name) ?? (await this.#learn(name));
      if (known?.id.startsWith(prefix) !== true) continue;
      if (timed && places.length % AT_ONCE === AT_ONCE - 1) await setImmediate();
      // 0 for a session that was removed meanwhile.
      places.push({ known, id: known.id, updatedAt: timed ? timeOf(this.#stat(file)) : 0 });
    }
    return places;
  }

  async #learn(name: string): Promise<Known | undefined> {
    const id = await readSessionId(this.#folder, name);
    if (id === undefined) return undefined;
    const known = { id, name };
    this.#known.set(name, known);
    const [first] = this.#known.keys();
    if (first !== undefined && this.#known.size > MAX_KNOWN) this.#known.delete(first);
    return known;
  }

  /** The summary of a session whose state says how long its log is. Waits for the disk, like {@link readState}. */
  #quickSummary(known: Known): SessionSummary | undefined {
    const { id, name } = known;
    const [log, state] = [this.#stat(`${name}${ENDING}`), this.#stat(`${name}.state`)];
    if (log === undefined || state === undefined) return undefined;
    const signature = [log, state].map(({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`).join();
    if (known.signature === signature) return known.summary;
    const { length = 0, bytes, info } = readState(join(this.#folder, `${name}.state`), log.size) ?? {};
    if (bytes !== log.size || length === 0) return undefined;
    known.summary = { ...info, id, length, updatedAt: timeOf(log) };
    // A file replaced twice within a tick of the file system's clock may look as it did before.
    const isSettled = Date.now() - Math.max(log.mtimeMs, state.mtimeMs) > SETTLED_MS;
    known.signature = isSettled ? signature : undefined;
    return known.summary;
  }

  #stat(file: string): Stats | undefined {
    return statSync(join(this.#folder, file), { throwIfNoEntry: false });
  }
}

function timeOf(found: Stats | undefined): number {
  return Math.floor(found?.mtimeMs ?? 0);
}
