import { messageOf } from "../../../errors/agent-error.ts";
import { SessionConflictError, SessionDamagedError, SessionStoreError } from "../../../errors/run-errors.ts";
import { SessionLeaseLostError } from "../../../errors/session-errors.ts";
import type { Json } from "../../../internal/json.ts";
import type { Draft, Lease, SessionRecords } from "../../../session/store/records.ts";
import {
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
import { LockTimeoutError } from "../file-lock.ts";
import { JsonlFile } from "./jsonl-file.ts";
import { formatLines } from "./jsonl-lines.ts";
import { JsonlLists } from "./jsonl-lists.ts";
import type { LinesToAppend } from "./jsonl-records.ts";
import { codeOf, knowProcesses, type ProcessId, thisProcess } from "../processes.ts";

/** Options of {@link JsonlStore}. */
export interface JsonlStoreOptions {
  /** How long to wait for another process that is writing to the same session, in milliseconds. @defaultValue 10_000 */
  readonly lockTimeoutMs?: number | undefined;
}

/** How many sessions are remembered; the files of others are read again. */
const MAX_QUEUES = 1000;

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
  readonly #self: ProcessId = thisProcess();
  readonly #folder: string;
  readonly #waitMs: number;
  readonly #lists: JsonlLists;
  readonly #queues: Map<string, FileQueue> = new Map();
  readonly #changes: ChangeWatch = new ChangeWatch((id) => this.#file(id).signature());

  /** @param folder - Created with the first append. */
  constructor(folder: string, options: JsonlStoreOptions = {}) {
    this.#folder = folder;
    this.#lists = new JsonlLists(folder);
    this.#waitMs = options.lockTimeoutMs ?? 10_000;
    this.processes = knowProcesses(this.#self);
  }

  /** @throws {SessionDamagedError} For a line that is not JSON, with its file and number. */
  async load(id: string, from = 0): Promise<readonly Json[]> {
    return await this.#try(id, "its log cannot be read", () => this.#queue(id).inTurn((file) => file.load(from)));
  }

  async append(
    id: string,
    expectedLength: number,
    entries: readonly Json[],
    options: AppendOptions = {},
  ): Promise<void> {
    // Serialized at once: the caller may change them while the append waits.
    const lines = entries.length === 0 ? "" : formatLines(entries);
    const append = { ...options, expectedLength, count: entries.length, lines };
    await this.#try(id, "its log cannot be written", () => this.#queue(id).append(append));
    this.#changes.changed(id);
  }

  async list(options: ListOptions = {}): Promise<readonly SessionSummary[]> {
    return await this.#try(`${options.prefix ?? ""}*`, "sessions cannot be listed", () =>
      this.#lists.list(options, (id) => this.#queue(id).inTurn((file) => file.summary())),
    );
  }

  async delete(id: string): Promise<void> {
    const isRemoved = await this.#try(id, "its log cannot be removed", () =>
      this.#queue(id).inTurn((file) => file.remove()),
    );
    if (isRemoved) this.#changes.changed(id);
  }

  async deleteSessions(filter: SessionFilter): Promise<number> {
    checkDeleteFilter(filter);
    const found = await this.list({ ...filter, order: "id", limit: Infinity });
    let count = 0;
    for (const { id } of found) {
      // It may have been written to since it was listed.
      const isRemoved = await this.#try(id, "its log cannot be removed", () =>
        this.#queue(id).inTurn((file) => file.remove((now) => matchesFilter(now, filter))),
      );
      if (!isRemoved) continue;
      count++;
      this.#changes.changed(id);
    }
    return count;
  }

  async records(id: string): Promise<SessionRecords> {
    return await this.#try(id, "its records cannot be read", () => this.#file(id).records());
  }

  async setLease(id: string, expected: Lease | undefined, next: Lease): Promise<boolean> {
    const isSet = await this.#try(id, "its lease cannot be written", () =>
      this.#queue(id).inTurn((file) => file.setLease(expected, next)),
    );
    if (isSet) this.#changes.changed(id);
    return isSet;
  }

  async setDraft(id: string, token: number, draft: Draft | undefined): Promise<void> {
    const text = draft === undefined ? undefined : JSON.stringify(draft);
    await this.#try(id, "its draft cannot be written", () =>
      this.#queue(id).inTurn((file) => file.setDraft(token, text)),
    );
    this.#changes.changed(id);
  }

  async requestStop(id: string, token: number): Promise<void> {
    await this.#try(id, "its records cannot be written", () =>
      this.#queue(id).inTurn((file) => file.requestStop(token)),
    );
    this.#changes.changed(id);
  }

  watch(id: string, onChange: () => void): () => void {
    return this.#changes.watch(id, onChange);
  }

  async #try<Result>(id: string, doing: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw storeError(id, doing, error);
    }
  }

  #file(id: string): JsonlFile {
    return this.#queues.get(id)?.file ?? new JsonlFile(this.#folder, id, this.#waitMs, this.#self);
  }

  #queue(id: string): FileQueue {
    const queue = this.#queues.get(id) ?? new FileQueue(this.#file(id));
    // Keeps the least recently used one first.
    this.#queues.delete(id);
    this.#queues.set(id, queue);
    if (this.#queues.size > MAX_QUEUES) this.#forgetOne();
    return queue;
  }

  #forgetOne(): void {
    for (const [id, queue] of this.#queues) {
      if (!queue.idle) continue;
      this.#queues.delete(id);
      return;
    }
  }
}

interface Waiting extends LinesToAppend {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Calls to one session's file, one at a time. Appends that wait together share one write and one sync. */
class FileQueue {
  readonly file: JsonlFile;
  #last: Promise<unknown> = Promise.resolve();
  #waiting: Waiting[] = [];
  #running = 0;

  constructor(file: JsonlFile) {
    this.file = file;
  }

  get idle(): boolean {
    return this.#running === 0;
  }

  append(lines: LinesToAppend): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...lines, resolve, reject });
      if (this.#waiting.length === 1) void this.inTurn(() => this.#appendWaiting());
    });
  }

  async #appendWaiting(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    try {
      const refusals = await this.file.append(batch);
      for (const [index, one] of batch.entries()) {
        const refusal = refusals[index];
        if (refusal === undefined) one.resolve();
        else one.reject(refusal);
      }
    } catch (error) {
      for (const one of batch) one.reject(error);
    }
  }

  async inTurn<Result>(work: (file: JsonlFile) => Promise<Result>): Promise<Result> {
    this.#running++;
    const turn = this.#last.then(() => work(this.file));
    this.#last = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      this.#running--;
    }
  }
}

/** Advice for file system errors, by code. */
const ADVICE: { readonly [code: string]: string } = {
  ENOSPC: "the disk is full; free some space",
  EDQUOT: "the disk quota is used up; free some space",
  EFBIG: "the file size limit is reached; raise it or free some space",
  EROFS: "the file system is read-only; put the store in a writable place",
  EACCES: "permission denied; grant it to this process, or put the store elsewhere",
  EPERM: "permission denied; grant it to this process, or put the store elsewhere",
  ENOENT: "the folder is gone",
  ENOTDIR: "part of the path is not a folder; put the store elsewhere",
  EMFILE: "this process has too many files open",
  EIO: "the disk reported an error",
};

/** A file system error as a store's error. Session errors are returned as they are. */
export function storeError(sessionId: string, doing: string, error: unknown): Error {
  if (error instanceof SessionStoreError || error instanceof SessionDamagedError) return error;
  if (error instanceof SessionConflictError || error instanceof SessionLeaseLostError) return error;
  if (error instanceof LockTimeoutError) return lockError(sessionId, error);
  const advice = ADVICE[codeOf(error)];
  const what = advice === undefined ? doing : `${doing}: ${advice}`;
  return new SessionStoreError(sessionId, `${what} (${messageOf(error)})`, { cause: error });
}

function lockError(sessionId: string, error: LockTimeoutError): SessionStoreError {
  const { file, holder, takenAt } = error.held;
  const who = holder === undefined ? "an unknown process" : `process ${holder.pid} on ${holder.host}`;
  return new SessionStoreError(
    sessionId,
    `it has been locked by ${who} since ${new Date(takenAt).toISOString()}; try again. If that process no longer writes sessions, ` +
      `delete ${file}`,
    { cause: error },
  );
}
