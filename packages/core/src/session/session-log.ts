import type { Outcome } from "../durable/steps.ts";
import type { JournalLog } from "../durable/journal.ts";
import { messageOf } from "../errors/agent-error.ts";
import { SessionConflictError, SessionDamagedError, SessionStoreError } from "../errors/run-errors.ts";
import type { Json } from "../internal/json.ts";
import { ENTRY_VERSION, checkEntryHeader, type SessionEntry } from "./entries.ts";
import { SessionView } from "./session-view.ts";
import type { SessionStore } from "./store.ts";

type WithoutBase<Entry> = Entry extends unknown ? Omit<Entry, "v" | "at"> : never;

/** An entry as it is written down: version and time are added. */
export type NewEntry = WithoutBase<SessionEntry>;

interface Waiting {
  readonly entries: readonly SessionEntry[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One session's log, as this process knows it: what was read, what was written, and nothing that was not acknowledged.
 *
 * Appends that come while one is under way go out together with the next.
 */
export class SessionLog {
  readonly id: string;
  readonly view: SessionView = new SessionView();
  /** A run of this process is going. */
  running = false;
  readonly #store: SessionStore;
  readonly #now: () => number;
  #waiting: Waiting[] = [];
  #writing = false;

  constructor(store: SessionStore, id: string, now: () => number = Date.now) {
    this.#store = store;
    this.id = id;
    this.#now = now;
  }

  /**
   * Reads what others have written since. While a run of ours is going, only what was said to it: anything else is somebody who
   * took the session over, and has to make our next append fail.
   */
  async refresh(): Promise<void> {
    const from = this.view.length;
    const read = await this.#load(from);
    const taken = this.running ? read.findIndex((entry) => !isSteering(entry)) : -1;
    this.#addFrom(from, taken === -1 ? read : read.slice(0, taken));
  }

  /** Reads the log up to the end of one run; all of it without a run. For a log that is only read. */
  async readUpTo(runId: string | undefined): Promise<void> {
    for (const entry of await this.#load(0)) {
      const isNext = entry.type === "run" && entry.runId !== runId;
      if (runId !== undefined && isNext && this.view.run?.entry.runId === runId) return;
      this.view.add(entry);
    }
  }

  /** Resolves when the entries are stored. @throws {SessionConflictError} When somebody else wrote more than steering. */
  append(...entries: readonly NewEntry[]): Promise<void> {
    const at = this.#now();
    const whole = entries.map((entry): SessionEntry => ({ v: ENTRY_VERSION, at, ...entry }));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entries: whole, resolve, reject });
      if (!this.#writing) void this.#write();
    });
  }

  /** The journal's part of the log, for the last run. */
  journalLog(runId: string): JournalLog {
    const run = this.view.run;
    if (run?.entry.runId !== runId) throw new TypeError(`run ${runId} is not the session's last run`);
    return {
      outcomeOf: (name) => run.outcomes.get(name),
      begunAt: (name) => run.begun.get(name),
      begin: async (step) => {
        await this.append({ type: "begin", runId, step });
        return run.begun.get(step) ?? this.#now();
      },
      record: (step: string, outcome: Outcome) => this.append({ type: "step", runId, step, outcome }),
    };
  }

  async #write(): Promise<void> {
    this.#writing = true;
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) {
      try {
        await this.#storeAll(batch.flatMap((one) => one.entries));
        for (const one of batch) one.resolve();
      } catch (error) {
        for (const one of batch) one.reject(error);
      }
    }
    this.#writing = false;
  }

  #take(): Waiting[] {
    const batch = this.#waiting;
    this.#waiting = [];
    return batch;
  }

  async #storeAll(entries: readonly SessionEntry[]): Promise<void> {
    let { length } = this.view;
    for (;;) {
      try {
        // Entries are JSON by their types, but for members that are undefined, which JSON leaves out.
        await this.#store.append(this.id, length, entries as unknown as readonly Json[]);
        this.#addFrom(length, entries);
        return;
      } catch (error) {
        if (!(error instanceof SessionConflictError)) throw asStoreError(error, this.id);
        const behind = await this.#giveWay(length, entries);
        if (behind === undefined) throw error;
        length = behind;
      }
    }
  }

  /** Takes entries in that begin at a place; those that a read or an append took in meanwhile are not taken twice. */
  #addFrom(from: number, entries: readonly SessionEntry[]): void {
    if (from > this.view.length) return; // behind what a lost run must not know of
    for (const [index, entry] of entries.entries()) if (from + index >= this.view.length) this.view.add(entry);
  }

  /** The place behind what another process wrote, when that is no conflict: one of the two only said something to the run. */
  async #giveWay(from: number, entries: readonly SessionEntry[]): Promise<number | undefined> {
    const others = await this.#load(from);
    const noConflict = entries.every(isSteering) || others.every(isSteering);
    if (others.length === 0 || !noConflict) return undefined;
    // A run of ours that lost its session has to find that out at its next append.
    if (!this.running || others.every(isSteering)) this.#addFrom(from, others);
    return from + others.length;
  }

  async #load(from: number): Promise<SessionEntry[]> {
    const values = await this.#store.load(this.id, from);
    return values.map((value, index) => this.#checked(value, from + index));
  }

  #checked(value: Json, position: number): SessionEntry {
    const problem = checkEntryHeader(value);
    if (problem !== undefined) throw new SessionDamagedError(this.id, `entry ${position}: ${problem}`);
    return value as unknown as SessionEntry;
  }
}

function isSteering(entry: SessionEntry): boolean {
  return entry.type === "steer";
}

function asStoreError(error: unknown, id: string): unknown {
  if (error instanceof SessionStoreError || error instanceof SessionDamagedError) return error;
  return new SessionStoreError(
    id,
    `could not be written, so the run stops here; fix the cause and call resume(): ${messageOf(error)}`,
    { cause: error },
  );
}
