import type { Outcome } from "../../durable/steps.ts";
import type { JournalLog } from "../../durable/journal.ts";
import { messageOf } from "../../errors/agent-error.ts";
import { SessionConflictError, SessionDamagedError, SessionStoreError } from "../../errors/run-errors.ts";
import { SessionLeaseLostError } from "../../errors/session-errors.ts";
import { isTooDeep, type Json, MAX_LEVELS } from "../../internal/json.ts";
import { ENTRY_VERSION, checkEntryHeader, checkEntryMembers, type EndEntry, type SessionEntry } from "./entries.ts";
import { findDamage, findDamagedEnd } from "./find-damage.ts";
import { foldInfo } from "../store/session-info.ts";
import { SessionView } from "./session-view.ts";
import type { AppendOptions, SessionStore } from "../store/store.ts";

/** What an entry holds was bounded when it came; the entry is a few levels around it. */
const MAX_ENTRY_LEVELS = MAX_LEVELS + 20;

type WithoutBase<Entry> = Entry extends unknown ? Omit<Entry, "v" | "at"> : never;

/** An entry as it is written down: version and time are added. */
export type NewEntry = WithoutBase<SessionEntry>;

/** On whose behalf something is appended. */
export interface AppendAs {
  /** By the run that holds the lease under this token. Absent: by anybody, which is allowed for what is said to a session. */
  readonly token?: number | undefined;
  /** The change of the lease that goes along. */
  readonly lease?: AppendOptions["lease"];
  /**
   * Entries of others that came since the log was read, and make the append fail instead of standing before it: all, or what was said
   * to the run. @defaultValue what only the holder of a lease writes
   */
  readonly unless?: "changed" | "steered" | undefined;
}

interface Waiting {
  readonly entries: readonly SessionEntry[];
  readonly as: AppendAs;
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
  /** Called with each entry that is added to the view, at once and in order. Must not throw. */
  readonly listeners: Set<(entry: SessionEntry, place: number) => void> = new Set();
  /** A run of this object is going. */
  running = false;
  readonly store: SessionStore;
  readonly #now: () => number;
  #waiting: Waiting[] = [];
  #writing = false;
  /** The end that was checked last. */
  #goodEnd: EndEntry | undefined;

  constructor(store: SessionStore, id: string, now: () => number = Date.now) {
    this.store = store;
    this.id = id;
    this.#now = now;
  }

  /**
   * Reads what others have written since. While a run of ours is going, only what was said to it: anything else is by a process that
   * took the session over, and has to make our next append fail.
   */
  async refresh(): Promise<void> {
    const from = this.view.length;
    const read = await this.load(from);
    const taken = this.running ? read.findIndex((entry) => !isFromAnybody(entry)) : -1;
    this.#addFrom(from, taken === -1 ? read : read.slice(0, taken));
    this.#checkEnd();
  }

  /** Reads the log up to the end of one run; all of it without a run; at most so many entries. For a log that is only read. */
  async readUpTo(runId: string | undefined, atMost?: number): Promise<void> {
    const entries: SessionEntry[] = [];
    for (const entry of (await this.load(0)).slice(0, atMost)) {
      const isNext = (entry.type === "run" && entry.runId !== runId) || entry.type === "rewind";
      if (runId !== undefined && isNext && entries.some((one) => one.type === "run" && one.runId === runId)) break;
      entries.push(entry);
    }
    // Answers that came after its end have changed nothing yet.
    const end = entries.findLastIndex(({ type }) => type === "end");
    for (const [index, entry] of entries.entries())
      if (end === -1 || index < end || entry.type !== "answer") this.#add(entry, index);
    this.#checkEnd();
  }

  /**
   * Resolves when the entries are stored.
   *
   * @throws {SessionConflictError} When another process wrote what cannot stand before them.
   * @throws {SessionLeaseLostError} When another process has taken the session over.
   */
  append(as: AppendAs, ...entries: readonly NewEntry[]): Promise<void> {
    const at = this.#now();
    const whole = entries.map((entry): SessionEntry => ({ v: ENTRY_VERSION, at, ...entry }));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entries: whole, as, resolve, reject });
      if (!this.#writing) void this.#write();
    });
  }

  /** The journal's part of the log, for the last run; written under the run's lease. */
  journalLog(runId: string, token?: number): JournalLog {
    const run = this.view.run;
    if (run?.entry.runId !== runId) throw new TypeError(`run ${runId} is not the session's last run`);
    return {
      findOutcome: (name) => run.outcomes.get(name),
      begunAt: (name) => run.begun.get(name),
      begin: async (step) => {
        await this.append({ token }, { type: "begin", runId, step });
        return run.begun.get(step) ?? this.#now();
      },
      readAnswers: () => this.refresh(),
      record: (step: string, outcome: Outcome) => this.append({ token }, { type: "step", runId, step, outcome }),
    };
  }

  async #write(): Promise<void> {
    this.#writing = true;
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) {
      try {
        await this.#storeAll(
          batch.flatMap((one) => one.entries),
          batch[0]?.as ?? {},
        );
        for (const one of batch) one.resolve();
      } catch (error) {
        for (const one of batch) one.reject(error);
      }
    }
    this.#writing = false;
  }

  /** The next appends that may go out together: by the same writer, and without a change of the lease. */
  #take(): Waiting[] {
    const [first, ...rest] = this.#waiting;
    if (first === undefined) return [];
    const isAlone = ({ as }: Waiting): boolean => as.lease !== undefined || as.unless !== undefined;
    const end = isAlone(first) ? 0 : rest.findIndex((one) => one.as.token !== first.as.token || isAlone(one));
    const count = 1 + (end === -1 ? rest.length : end);
    return this.#waiting.splice(0, count);
  }

  async #storeAll(entries: readonly SessionEntry[], { token, lease, unless }: AppendAs): Promise<void> {
    let { length } = this.view;
    for (;;) {
      const { info } = foldInfo(this.view.info, entries);
      try {
        // Entries are JSON by their types, but for members that are undefined, which JSON leaves out.
        await this.store.append(this.id, length, entries as unknown as readonly Json[], { token, lease, info });
        this.#addFrom(length, entries);
        return;
      } catch (error) {
        if (!(error instanceof SessionConflictError)) throw asStoreError(error, this.id);
        const behind = await this.#giveWay(length, entries, unless);
        if (behind === undefined) throw error;
        length = behind;
      }
    }
  }

  /** Takes entries in that begin at a place; those that a read or an append took in meanwhile are not taken twice. */
  #addFrom(from: number, entries: readonly SessionEntry[]): void {
    if (from > this.view.length) return; // behind what a lost run must not know of
    for (const [index, entry] of entries.entries()) {
      const place = from + index;
      if (place < this.view.length) continue;
      this.#add(entry, place);
      for (const listen of this.listeners) listen(entry, place);
    }
  }

  #add(entry: SessionEntry, place: number): void {
    const damage = findDamage(this.view, entry);
    if (damage !== undefined) throw this.#damaged(place, damage);
    this.view.add(entry);
  }

  /** Once all was read: a run may have been opened and ended again. */
  #checkEnd(): void {
    const { run } = this.view;
    if (run?.end === this.#goodEnd) return;
    const damage = findDamagedEnd(run);
    if (damage !== undefined) throw new SessionDamagedError(this.id, damage);
    this.#goodEnd = run?.end;
  }

  #damaged(place: number, problem: string): SessionDamagedError {
    return new SessionDamagedError(this.id, `entry ${place}: ${problem}`);
  }

  /** The place behind what another process wrote, when that is no conflict: one of the two only said something to the session. */
  async #giveWay(
    from: number,
    entries: readonly SessionEntry[],
    unless: AppendAs["unless"],
  ): Promise<number | undefined> {
    const others = await this.load(from);
    const fromAnybody = others.every(isFromAnybody);
    // A run of ours that lost its session has to find that out at its next append.
    if (!this.running || fromAnybody) this.#addFrom(from, others);
    const stands =
      unless === "changed" || (unless === "steered" && others.some(({ type }) => type === "steer"))
        ? false
        : fromAnybody || entries.every(isFromAnybody);
    return others.length > 0 && stands ? from + others.length : undefined;
  }

  /** Entries from a place on, as they are stored. */
  async load(from: number): Promise<SessionEntry[]> {
    const values = await this.store.load(this.id, from);
    return values.map((value, index) => this.#checked(value, from + index));
  }

  #checked(value: Json, position: number): SessionEntry {
    const problem =
      checkEntryHeader(value) ??
      (isTooDeep(value, MAX_ENTRY_LEVELS) ? `it nests more than ${MAX_ENTRY_LEVELS} levels` : undefined) ??
      checkEntryMembers(value as unknown as SessionEntry);
    if (problem !== undefined) throw this.#damaged(position, problem);
    // As far as it is checked here and where it is added to the view.
    return value as unknown as SessionEntry;
  }
}

/** True for what any process may say to a session at any time, whoever runs it. */
function isFromAnybody({ type }: SessionEntry): boolean {
  return type === "steer" || type === "answer" || type === "info";
}

function asStoreError(error: unknown, id: string): unknown {
  if (
    error instanceof SessionStoreError ||
    error instanceof SessionDamagedError ||
    error instanceof SessionLeaseLostError
  )
    return error;
  return new SessionStoreError(
    id,
    `could not be written, so the run stops here; fix the cause and call resume(): ${messageOf(error)}`,
    { cause: error },
  );
}
