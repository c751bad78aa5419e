import type { Json } from "../../../internal/json.ts";
import {
  decideAppend,
  decideDraft,
  decideLease,
  decideStop,
  type Draft,
  type Lease,
  type SessionRecords,
  type AppendOptions,
  checkDeleteFilter,
  type ListOptions,
  matchesFilter,
  type ProcessKnowledge,
  type SessionFilter,
  type SessionStore,
  type SessionSummary,
} from "../../../session/store/store.ts";
import { ChangeWatch } from "../change-watch.ts";
import { JsonlFile, type Where } from "./jsonl-file.ts";
import { JsonlLists } from "./jsonl-lists.ts";
import { knowProcesses, thisProcess } from "../processes.ts";
import { orStoreError } from "../store-error.ts";

/** Options of {@link JsonlStore}. */
export interface JsonlStoreOptions {
  /** How long to wait for another process that is writing to the same session, in milliseconds. @defaultValue 10_000 */
  readonly lockTimeoutMs?: number | undefined;
}

/** How many sessions are remembered; the files of others are read again. */
const MAX_FILES = 1000;

/**
 * Sessions as files in a folder: one `.jsonl` file per session with one entry per line, readable in any pager. Any number of
 * processes may use the folder at once; a `.lock` file beside the log names the process that is writing.
 *
 * An append costs one write and one sync, however long the log is; checking for new entries costs one `stat`. A line cut off
 * by a crash was never acknowledged: it is not read, and the next append removes it.
 *
 * Beside the log, `.state` has the lease, the request to stop and what lists show, and `.draft` the draft. A damaged one counts as
 * absent. Changes by other processes are noticed within half a second, by the times of the files; changes through this object at once.
 *
 * @example
 * const session = agent.session({ id: "order-17", store: new JsonlStore("sessions") });
 */
export class JsonlStore implements SessionStore {
  readonly processes: ProcessKnowledge;
  readonly #where: Where;
  readonly #lists: JsonlLists;
  readonly #files: Map<string, JsonlFile> = new Map();
  readonly #changes: ChangeWatch = new ChangeWatch((id) => this.#file(id).signature());

  /** @param folder - Created with the first append. */
  constructor(folder: string, options: JsonlStoreOptions = {}) {
    this.#where = { folder, waitMs: options.lockTimeoutMs ?? 10_000, self: thisProcess() };
    this.#lists = new JsonlLists(folder);
    this.processes = knowProcesses(this.#where.self);
  }

  /** @throws {SessionDamagedError} For a line that is not JSON, with its file and number. */
  async load(id: string, from = 0): Promise<readonly Json[]> {
    return await this.#inTurn(id, "its log cannot be read", (file) => file.load(from));
  }

  async append(id: string, expectedLength: number, entries: readonly Json[], options?: AppendOptions): Promise<void> {
    const decide = decideAppend(id, expectedLength, entries, options);
    await this.#change(id, "its log cannot be written", (file) => file.append(decide));
  }

  async list(options: ListOptions = {}): Promise<readonly SessionSummary[]> {
    const listed = this.#lists.list(options, (id) => this.#used(id).inTurn((file) => file.summary()));
    return await orStoreError(`${options.prefix ?? ""}*`, "sessions cannot be listed", listed);
  }

  async delete(id: string): Promise<void> {
    await this.#remove(id);
  }

  async deleteSessions(filter: SessionFilter): Promise<number> {
    checkDeleteFilter(filter);
    let count = 0;
    // It may have been written to since it was listed.
    for (const { id } of await this.list({ ...filter, order: "id", limit: Infinity }))
      if (await this.#remove(id, (now) => matchesFilter(now, filter))) count++;
    return count;
  }

  async records(id: string): Promise<SessionRecords> {
    return await orStoreError(id, "its records cannot be read", this.#file(id).records());
  }

  async setLease(id: string, expected: Lease | undefined, next: Lease): Promise<boolean> {
    const decide = decideLease(expected, next);
    return await this.#change(id, "its lease cannot be written", (file) => file.change(decide));
  }

  async setDraft(id: string, token: number, draft: Draft | undefined): Promise<void> {
    const decide = decideDraft(token, draft);
    await this.#change(id, "its draft cannot be written", (file) => file.change(decide));
  }

  async requestStop(id: string, token: number): Promise<void> {
    const doing = "its records cannot be written";
    // Does not create the folder for a session that is not there.
    const isThere = Promise.resolve().then(() => this.#file(id).exists());
    if (await orStoreError(id, doing, isThere)) await this.#change(id, doing, (file) => file.change(decideStop(token)));
  }

  watch(id: string, onChange: () => void): () => void {
    return this.#changes.watch(id, onChange);
  }

  async #change(id: string, doing: string, change: (file: JsonlFile) => Promise<boolean>): Promise<boolean> {
    const isChanged = await orStoreError(id, doing, change(this.#used(id)));
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

  /** Remembers it, so that calls to it take turns. */
  #used(id: string): JsonlFile {
    const file = this.#file(id);
    // Keeps the least recently used one first.
    this.#files.delete(id);
    this.#files.set(id, file);
    // One that is busy goes on beside the next of its session, as another process would.
    const [oldest] = this.#files.keys();
    if (oldest !== undefined && this.#files.size > MAX_FILES) this.#files.delete(oldest);
    return file;
  }

  #file(id: string): JsonlFile {
    return this.#files.get(id) ?? new JsonlFile(this.#where, id);
  }
}
