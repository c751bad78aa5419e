import { type Stats, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Json } from "../../../internal/json.ts";
import {
  checkDeleteFilter,
  compareSummaries,
  type Decide,
  DecidingStore,
  type ListOptions,
  matchesFilter,
  type ProcessKnowledge,
  type SessionFilter,
  type SessionRecords,
  type SessionStore,
  type SessionSummary,
} from "../../../session/store/store.ts";
import { ChangeWatch } from "../change-watch.ts";
import { JsonlFile, type Where } from "./jsonl-file.ts";
import { ifThere, readSessionId, readState } from "./jsonl-format.ts";
import { knowProcesses, thisProcess } from "../file-lock.ts";
import { orStoreError } from "../store-error.ts";

/** Options of {@link JsonlStore}. */
export interface JsonlStoreOptions {
  /** How long to wait for another process that is writing to the same session, in milliseconds. @defaultValue 10_000 */
  readonly lockTimeoutMs?: number | undefined;
}

/** How many sessions are remembered; the files of others are read again. */
const MAX_FILES = 1000;

const ENDING = ".jsonl";

/** Sessions whose files are read in one turn of the event loop. */
const AT_ONCE = 64;

/** Summaries that are remembered, about half a kilobyte each. */
const MAX_KNOWN = 20_000;

/** How old a file has to be before its time distinguishes it from the next version, in milliseconds. */
const SETTLED_MS = 2000;

interface Known {
  readonly id: string;
  /** Name of its files, without extension. */
  readonly name: string;
  /** From `.state`; absent before that was read, and while a replacement could go unnoticed. */
  summary?: SessionSummary | undefined;
  /** The signature of the files that it was read from. */
  signature?: string | undefined;
}

interface Place extends Pick<SessionSummary, "id" | "updatedAt"> {
  readonly known: Known;
}

/**
 * Sessions as files in a folder: one `.jsonl` file per session with one entry per line, readable in any pager. Any number of
 * processes may use the folder at once; a `.lock` file beside the log names the process that is writing.
 *
 * An append costs one write and one sync, however long the log is; checking for new entries costs one `stat`. A line cut off
 * by a crash was never acknowledged: it is not read, and the next append removes it.
 *
 * Beside the log, `.state` has the lease, the request to stop and the data for lists, and `.draft` the draft. A damaged one counts as
 * absent. The store notices changes by other processes within half a second, by the times of the files; changes through this object at once.
 *
 * @example
 * const session = agent.session({ id: "order-17", store: new JsonlStore("sessions") });
 */
export class JsonlStore extends DecidingStore implements SessionStore {
  readonly processes: ProcessKnowledge;
  readonly #where: Where;
  readonly #files: Map<string, JsonlFile> = new Map();
  /** The cache of lists, by file name, oldest first. */
  readonly #known: Map<string, Known> = new Map();
  readonly #changes: ChangeWatch = new ChangeWatch((id) => this.#file(id).signature());

  /** @param folder - Created with the first append. */
  constructor(folder: string, options: JsonlStoreOptions = {}) {
    super();
    this.#where = { folder, waitMs: options.lockTimeoutMs ?? 10_000, self: thisProcess() };
    this.processes = knowProcesses(this.#where.self);
  }

  /** @throws {SessionDamagedError} For a line that is not JSON, with its file and number. */
  async load(id: string, from = 0): Promise<readonly Json[]> {
    return await this.#inTurn(id, "its log cannot be read", (file) => file.load(from));
  }

  async list(options: ListOptions = {}): Promise<readonly SessionSummary[]> {
    return await orStoreError(`${options.prefix ?? ""}*`, "sessions cannot be listed", this.#list(options));
  }

  async delete(id: string): Promise<void> {
    await this.#remove(id);
  }

  async deleteSessions(filter: SessionFilter): Promise<number> {
    checkDeleteFilter(filter);
    let count = 0;
    // A session may have changed since it was listed.
    for (const { id } of await this.list({ ...filter, order: "id", limit: Infinity }))
      if (await this.#remove(id, (now) => matchesFilter(now, filter))) count++;
    return count;
  }

  async records(id: string): Promise<SessionRecords> {
    return await orStoreError(id, "its records cannot be read", this.#file(id).records());
  }

  watch(id: string, onChange: () => void): () => void {
    return this.#changes.watch(id, onChange);
  }

  protected async change(id: string, what: string, decide: Decide): Promise<boolean> {
    const doing = `its ${what} cannot be written`;
    // A request to stop does not create the folder for a session that does not exist.
    const exists = async (): Promise<boolean> => this.#file(id).exists();
    if (what === "records" && !(await orStoreError(id, doing, exists()))) return false;
    const file = this.#used(id);
    const isChanged = await orStoreError(id, doing, what === "log" ? file.append(decide) : file.change(decide));
    if (isChanged) this.#changes.changed(id);
    return isChanged;
  }

  async #remove(id: string, matches?: (summary: SessionSummary) => boolean): Promise<boolean> {
    const isRemoved = await this.#inTurn(id, "its log cannot be removed", (file) => file.remove(matches));
    if (isRemoved) this.#changes.changed(id);
    return isRemoved;
  }

  async #inTurn<Result>(id: string, doing: string, work: (file: JsonlFile) => Promise<Result>): Promise<Result> {
    return await orStoreError(id, doing, this.#used(id).inTurn(work));
  }

  /** Remembers the file, so that calls to it take turns. */
  #used(id: string): JsonlFile {
    const file = this.#file(id);
    // Keeps the least recently used one first.
    this.#files.delete(id);
    this.#files.set(id, file);
    // A busy one continues beside its successor, as another process would.
    const [oldest] = this.#files.keys();
    if (oldest !== undefined && this.#files.size > MAX_FILES) this.#files.delete(oldest);
    return file;
  }

  #file(id: string): JsonlFile {
    return this.#files.get(id) ?? new JsonlFile(this.#where, id);
  }

  /**
   * Order by recency uses the times of the files, so only the sessions of the page are read. A log is read only if its `.state` does not
   * have its length, and a `.state` only if it has changed since it was last read.
   */
  async #list(options: ListOptions): Promise<readonly SessionSummary[]> {
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
          const summary = this.#quickSummary(known) ?? (await this.#used(known.id).inTurn((file) => file.summary()));
          // With the time by which it was sorted: it may have changed since.
          return summary && (order === "recent" ? { ...summary, updatedAt } : summary);
        }),
      );
      for (const one of summaries) if (one !== undefined && matchesFilter(one, options)) found.push(one);
    }
    return found.slice(0, limit);
  }

  async #places(prefix: string, timed: boolean): Promise<readonly Place[]> {
    const places: Place[] = [];
    for (const file of (await ifThere(readdir(this.#where.folder))) ?? []) {
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
    const id = await readSessionId(this.#where.folder, name);
    if (id === undefined) return undefined;
    const known = { id, name };
    this.#known.set(name, known);
    const [first] = this.#known.keys();
    if (first !== undefined && this.#known.size > MAX_KNOWN) this.#known.delete(first);
    return known;
  }

  /** The summary of a session whose state has the length of its log. Blocks on the disk, like {@link readState}. */
  #quickSummary(known: Known): SessionSummary | undefined {
    const { id, name } = known;
    const [log, state] = [this.#stat(`${name}${ENDING}`), this.#stat(`${name}.state`)];
    if (log === undefined || state === undefined) return undefined;
    const signature = [log, state].map(({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`).join();
    if (known.signature === signature) return known.summary;
    const { length = 0, bytes, info } = readState(join(this.#where.folder, `${name}.state`), log.size) ?? {};
    if (bytes !== log.size || length === 0) return undefined;
    known.summary = { ...info, id, length, updatedAt: timeOf(log) };
    // A file replaced twice within a tick of the file system's clock may look as it did before.
    const isSettled = Date.now() - Math.max(log.mtimeMs, state.mtimeMs) > SETTLED_MS;
    known.signature = isSettled ? signature : undefined;
    return known.summary;
  }

  #stat(file: string): Stats | undefined {
    return statSync(join(this.#where.folder, file), { throwIfNoEntry: false });
  }
}

function timeOf(found: Stats | undefined): number {
  return Math.floor(found?.mtimeMs ?? 0);
}
