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
import { ifThere, readState } from "./jsonl-records.ts";
import { readSessionId } from "./session-file-name.ts";

const ENDING = ".jsonl";

/** Sessions whose files are looked at in one turn of the event loop. */
const AT_ONCE = 64;

/** Summaries that are remembered, about half a kilobyte each. */
const MAX_KNOWN = 20_000;

/** How old a file has to be before its time tells it apart from the next version, in milliseconds. */
const SETTLED_MS = 2000;

interface Named {
  readonly id: string;
  /** Of its files, without extension. */
  readonly name: string;
}

/** Where a session stands in a list. */
interface Place extends Named {
  readonly updatedAt: number;
}

interface Known {
  readonly id: string;
  /** As `.state` gives it; absent before it was read, and while it may be replaced unnoticed. */
  readonly summary?: SessionSummary | undefined;
  /** The files that it was read from. */
  readonly signature?: string | undefined;
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
    const all = (await this.#sessions()).filter(({ id }) => id.startsWith(prefix));
    const places = order === "id" ? all.map((one): Place => ({ ...one, updatedAt: 0 })) : await this.#places(all);
    const compare = compareSummaries(order);
    const rest = places.filter((place) => after === undefined || compare(after, place) < 0).toSorted(compare);
    const found: SessionSummary[] = [];
    for (let at = 0; at < rest.length && found.length < limit; at += AT_ONCE) {
      if (at > 0) await setImmediate();
      const some = rest.slice(at, at + AT_ONCE);
      const summaries = await Promise.all(some.map(async (one) => this.#quickSummary(one) ?? (await read(one.id))));
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

  async #sessions(): Promise<Named[]> {
    const found: Named[] = [];
    for (const file of (await ifThere(readdir(this.#folder))) ?? []) {
      if (!file.endsWith(ENDING)) continue;
      const name = file.slice(0, -ENDING.length);
      const id = this.#known.get(name)?.id ?? (await readSessionId(this.#folder, name));
      if (id === undefined) continue;
      found.push({ id, name });
      if (!this.#known.has(name)) this.#remember(name, { id });
    }
    return found;
  }

  async #places(all: readonly Named[]): Promise<readonly Place[]> {
    const places: Place[] = [];
    for (const [index, one] of all.entries()) {
      if (index % AT_ONCE === AT_ONCE - 1) await setImmediate();
      // 0 for a session that was removed meanwhile.
      places.push({ ...one, updatedAt: timeOf(this.#stat(`${one.name}${ENDING}`)) });
    }
    return places;
  }

  /** The summary of a session whose state says how long its log is. Waits for the disk, like {@link readState}. */
  #quickSummary({ id, name }: Named): SessionSummary | undefined {
    const [log, state] = [this.#stat(`${name}${ENDING}`), this.#stat(`${name}.state`)];
    if (log === undefined || state === undefined) return undefined;
    const signature = [log, state].map(({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`).join();
    const known = this.#known.get(name);
    if (known?.signature === signature) return known.summary;
    const { length = 0, bytes, info } = readState(join(this.#folder, `${name}.state`), log.size) ?? {};
    if (bytes !== log.size || length === 0) return undefined;
    const summary = { ...info, id, length, updatedAt: timeOf(log) };
    // A file replaced twice within a tick of the file system's clock may look as it did before.
    const isSettled = Date.now() - Math.max(log.mtimeMs, state.mtimeMs) > SETTLED_MS;
    this.#remember(name, isSettled ? { id, summary, signature } : { id });
    return summary;
  }

  #stat(file: string): Stats | undefined {
    return statSync(join(this.#folder, file), { throwIfNoEntry: false });
  }

  #remember(name: string, known: Known): void {
    this.#known.delete(name);
    this.#known.set(name, known);
    const [first] = this.#known.keys();
    if (first !== undefined && this.#known.size > MAX_KNOWN) this.#known.delete(first);
  }
}

function timeOf(found: Stats | undefined): number {
  return Math.floor(found?.mtimeMs ?? 0);
}
