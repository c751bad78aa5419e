import { readdir } from "node:fs/promises";
import { messageOf } from "../../errors/agent-error.ts";
import { SessionConflictError, SessionDamagedError, SessionStoreError } from "../../errors/run-errors.ts";
import type { Json } from "../../internal/json.ts";
import type { ListOptions, SessionStore, SessionSummary } from "../../session/store.ts";
import { codeOf, LockTimeoutError } from "./file-lock.ts";
import { ifThere, JsonlFile, type LinesToAppend } from "./jsonl-file.ts";
import { formatLines } from "./jsonl-lines.ts";
import { readSessionId } from "./session-file-name.ts";

/** Options of {@link JsonlStore}. */
export interface JsonlStoreOptions {
  /** How long to wait for another process that is writing to the same session, in milliseconds. @defaultValue 10_000 */
  readonly lockTimeoutMs?: number | undefined;
}

/** How many sessions are remembered; the files of others are read again. */
const MAX_QUEUES = 1000;

const ENDING = ".jsonl";

/**
 * Sessions as files in a folder: one `.jsonl` file per session with one entry per line, readable in any pager. Any number of
 * processes may use the folder at once; a `.lock` file beside the log names the process that is writing.
 *
 * An append costs one write and one sync, however long the log is; checking for new entries costs one `stat`. A line cut off
 * by a crash was never acknowledged: it is not read, and the next append removes it.
 *
 * @example
 * const session = agent.session({ id: "order-17", store: new JsonlStore("sessions") });
 */
export class JsonlStore implements SessionStore {
  readonly #folder: string;
  readonly #waitMs: number;
  readonly #queues: Map<string, FileQueue> = new Map();

  /** @param folder - Created with the first append. */
  constructor(folder: string, options: JsonlStoreOptions = {}) {
    this.#folder = folder;
    this.#waitMs = options.lockTimeoutMs ?? 10_000;
  }

  /** @throws {SessionDamagedError} For a line that is not JSON, with its file and number. */
  async load(id: string, from = 0): Promise<readonly Json[]> {
    try {
      return await this.#queue(id).inTurn((file) => file.load(from));
    } catch (error) {
      throw storeError(id, "its log cannot be read", error);
    }
  }

  async append(id: string, expectedLength: number, entries: readonly Json[]): Promise<void> {
    // Serialized at once: the caller may change them while the append waits.
    const lines = entries.length === 0 ? "" : formatLines(entries);
    try {
      await this.#queue(id).append({ expectedLength, count: entries.length, lines });
    } catch (error) {
      if (error instanceof SessionConflictError) throw error;
      throw storeError(id, "its log cannot be written", error);
    }
  }

  async list({ prefix = "", after = "", limit = 100 }: ListOptions = {}): Promise<readonly SessionSummary[]> {
    const found: SessionSummary[] = [];
    try {
      const ids = (await this.#ids()).filter((id) => id.startsWith(prefix) && (after === "" || id > after));
      // By code unit.
      ids.sort((a, b) => (a < b ? -1 : 1));
      for (const id of ids) {
        if (found.length >= limit) break;
        const summary = await this.#queue(id).inTurn((file) => file.summary());
        if (summary !== undefined) found.push({ id, ...summary });
      }
    } catch (error) {
      throw storeError(`${prefix}*`, "sessions cannot be listed", error);
    }
    return found;
  }

  async delete(id: string): Promise<void> {
    try {
      await this.#queue(id).inTurn((file) => file.remove());
    } catch (error) {
      throw storeError(id, "its log cannot be removed", error);
    }
  }

  async #ids(): Promise<string[]> {
    const ids: string[] = [];
    for (const file of (await ifThere(readdir(this.#folder))) ?? []) {
      if (!file.endsWith(ENDING)) continue;
      const id = await readSessionId(this.#folder, file.slice(0, -ENDING.length));
      if (id !== undefined) ids.push(id);
    }
    return ids;
  }

  #queue(id: string): FileQueue {
    const queue = this.#queues.get(id) ?? new FileQueue(new JsonlFile(this.#folder, id, this.#waitMs));
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
  readonly #file: JsonlFile;
  #last: Promise<unknown> = Promise.resolve();
  #waiting: Waiting[] = [];
  #running = 0;

  constructor(file: JsonlFile) {
    this.#file = file;
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
      const conflicts = await this.#file.append(batch);
      for (const [index, one] of batch.entries()) {
        const conflict = conflicts[index];
        if (conflict === undefined) one.resolve();
        else one.reject(conflict);
      }
    } catch (error) {
      for (const one of batch) one.reject(error);
    }
  }

  async inTurn<Result>(work: (file: JsonlFile) => Promise<Result>): Promise<Result> {
    this.#running++;
    const turn = this.#last.then(() => work(this.#file));
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
