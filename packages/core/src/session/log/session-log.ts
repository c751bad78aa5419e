import { messageOf } from "../../errors/agent-error.ts";
import { SessionConflictError, SessionDamagedError, SessionStoreError } from "../../errors/run-errors.ts";
import { SessionLeaseLostError } from "../../errors/session-errors.ts";
import type { Json } from "../../internal/json.ts";
import {
  ENTRY_VERSION,
  checkEntryHeader,
  checkEntryMembers,
  type EndEntry,
  isKnownType,
  type SessionEntry,
  type StepKey,
} from "./entries.ts";
import { foldInfo } from "../store/session-info.ts";
import { findDamage, SessionView } from "./session-view.ts";
import type { AppendOptions, SessionStore } from "../store/store.ts";
import type { JournalLog } from "../../durable/journal.ts";
import type { NamedStep } from "../../durable/steps.ts";
import type { RunRecord } from "./run-record.ts";
import { findDamagedEnd } from "./run-turns.ts";
import type { TurnRecord } from "./turn-record.ts";

type WithoutBase<Entry> = Entry extends unknown ? Omit<Entry, "v" | "at"> : never;

/** An entry to append: its version and time are added. */
export type NewEntry = WithoutBase<SessionEntry>;

export interface AppendAs {
  /** Token of the run that holds the lease. Absent for entries that any process may append: steering, answers, jobs and infos. */
  readonly token?: number | undefined;
  readonly lease?: AppendOptions["lease"];
  /** The length of the log that the entries were based on: the append fails if anything came since. @defaultValue any */
  readonly at?: number | undefined;
}

/** Makes the entries of an append, again after another process has changed the log. The append rejects with what it throws. */
type MakeEntries = (view: SessionView) => readonly NewEntry[];

interface Waiting {
  readonly make: MakeEntries;
  /** Its entries depend on the log, or on the lease. */
  readonly isAlone: boolean;
  readonly as: AppendAs;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** One session's log, as this process knows it. Appends that come during a write go out together in the next one. */
export class SessionLog {
  readonly id: string;
  readonly view: SessionView = new SessionView();
  /** Called with each entry that is added to the view, at once and in order. Must not throw. */
  readonly listeners: Set<(entry: SessionEntry, place: number) => void> = new Set();
  running = false;
  readonly store: SessionStore;
  #waiting: Waiting[] = [];
  #writing = false;
  #goodEnd: EndEntry | undefined;

  constructor(store: SessionStore, id: string) {
    this.store = store;
    this.id = id;
  }

  /** Reads what others have written since; during a run of ours, only what any process may append: the rest fails our next append. */
  async refresh(): Promise<void> {
    const from = this.view.length;
    const read = await this.load(from);
    const taken = this.running ? read.findIndex((entry) => !isFromAnybody(entry)) : -1;
    this.#addFrom(from, taken === -1 ? read : read.slice(0, taken));
    this.#checkEnd();
  }

  /** Reads the log up to the end of one run, or all of it; at most `atMost` entries. For a log that is only read. */
  async readUpTo(runId: string | undefined, atMost?: number): Promise<void> {
    const entries: SessionEntry[] = [];
    for (const entry of (await this.load(0)).slice(0, atMost)) {
      const isNext = (entry.type === "run" && entry.runId !== runId) || entry.type === "rewind";
      if (runId !== undefined && isNext && entries.some((one) => one.type === "run" && one.runId === runId)) break;
      entries.push(entry);
    }
    // Answers that came after the run's end have changed nothing yet.
    const last = entries.findLastIndex(({ type }) => type === "end" || type === "resume");
    const isOver = entries[last]?.type === "end";
    for (const [index, entry] of entries.entries())
      if (!isOver || index < last || (entry.type !== "answer" && entry.type !== "job")) this.#add(entry, index);
    this.#checkEnd();
  }

  /**
   * Resolves when the entries are stored.
   *
   * @param given - The entries, or a function that makes them: its checks and the write are atomic.
   * @throws {SessionConflictError} When another process wrote entries that cannot precede them.
   * @throws {SessionLeaseLostError} When another process has taken the session over.
   */
  append(as: AppendAs, ...given: readonly NewEntry[] | readonly [MakeEntries]): Promise<void> {
    const [first] = given;
    const make = typeof first === "function" ? first : () => given as readonly NewEntry[];
    const isAlone = typeof first === "function" || as.lease !== undefined || as.at !== undefined;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ make, isAlone, as, resolve, reject });
      if (!this.#writing) void this.#write();
    });
  }

  async #write(): Promise<void> {
    this.#writing = true;
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) {
      try {
        await this.#storeAll((view) => batch.flatMap((one) => [...one.make(view)]), batch[0]?.as ?? {});
        for (const one of batch) one.resolve();
      } catch (error) {
        for (const one of batch) one.reject(error);
      }
    }
    this.#writing = false;
  }

  /** The next appends that may go out together: by the same writer, and independent of the log. */
  #take(): Waiting[] {
    const [first, ...rest] = this.#waiting;
    if (first === undefined) return [];
    const end = first.isAlone ? 0 : rest.findIndex((one) => one.as.token !== first.as.token || one.isAlone);
    const count = 1 + (end === -1 ? rest.length : end);
    return this.#waiting.splice(0, count);
  }

  async #storeAll(make: MakeEntries, { token, lease, at }: AppendAs): Promise<void> {
    const now = Date.now();
    let { view } = this;
    for (;;) {
      const { length } = view;
      if (at !== undefined && at !== length) throw new SessionConflictError(this.id, at, length);
      const entries = make(view).map((entry): SessionEntry => ({ v: ENTRY_VERSION, at: now, ...entry }));
      if (entries.length === 0 && lease === undefined) return;
      const { info } = foldInfo(view.info, entries);
      try {
        // Entries are JSON by their types, except for undefined members, which JSON omits.
        await this.store.append(this.id, length, entries as unknown as readonly Json[], { token, lease, info });
        this.#addFrom(length, entries);
        return;
      } catch (error) {
        if (!(error instanceof SessionConflictError)) throw asStoreError(error, this.id);
        const merged = await this.#mergeOthers(length, entries);
        if (merged === undefined) throw error;
        view = merged;
      }
    }
  }

  /** Adds the entries from a place on, except entries that a read or an append has added meanwhile. */
  #addFrom(from: number, entries: readonly SessionEntry[]): void {
    if (from > this.view.length) return; // after entries that a lost run must not see
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

  /** Called after everything was read: a run may have been reopened and ended again. */
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

  /** The log with another process's entries; undefined for a conflict, where both appended what not every process may. */
  async #mergeOthers(from: number, entries: readonly SessionEntry[]): Promise<SessionView | undefined> {
    const others = await this.load(from);
    const fromAnybody = others.every(isFromAnybody);
    if (others.length === 0 || !(fromAnybody || entries.every(isFromAnybody))) return undefined;
    if (!this.running || fromAnybody) {
      this.#addFrom(from, others);
      return this.view;
    }
    // A run of ours that lost its session must find that out at its next append; steering and answers still count.
    const view = new SessionView();
    for (const entry of await this.load(0)) view.add(entry);
    return view;
  }

  async load(from: number): Promise<SessionEntry[]> {
    const values = await this.store.load(this.id, from);
    return values.map((value, index) => {
      // Checked here, and where it is added to the view.
      const entry = value as unknown as SessionEntry;
      const problem = checkEntryHeader(value) ?? checkEntryMembers(entry);
      if (problem !== undefined) throw this.#damaged(from + index, problem);
      return entry;
    });
  }
}

/** True for entries that any process may append at any time. A later release's types count: its own run would have taken the lease. */
function isFromAnybody({ type }: SessionEntry): boolean {
  return !isKnownType(type) || ["steer", "answer", "job", "info"].includes(type);
}

function asStoreError(error: unknown, id: string): unknown {
  if ([SessionStoreError, SessionDamagedError, SessionLeaseLostError].some((known) => error instanceof known))
    return error;
  return new SessionStoreError(
    id,
    `could not be written, so the run stops here; fix the cause and call resume(): ${messageOf(error)}`,
    { cause: error },
  );
}

/** Writes what a run records, under the token of its lease. A closed turn is written with the next turn's first entry, before it. */
export function writeRun(
  log: SessionLog,
  { entry: { runId }, outcomes, begun }: RunRecord,
  token?: number,
): JournalLog & { closeTurn(turn: TurnRecord): void; unwritten(): readonly NewEntry[] } {
  /** Closed turns that may not be in the log yet: the run's last append must begin with them. */
  let closed: readonly NewEntry[] = [];
  let isWriting = false;
  const append = async (entry: NewEntry): Promise<void> => {
    // An append that comes meanwhile is written after the closed turns.
    const first = isWriting ? [] : closed;
    if (first.length === 0) return await log.append({ token }, entry);
    isWriting = true;
    try {
      await log.append({ token }, ...first, entry);
      closed = closed.slice(first.length);
    } finally {
      isWriting = false;
    }
  };
  return {
    findOutcome: (name) => outcomes.get(name)?.outcome,
    begunAt: (name) => begun.get(name)?.at,
    begin: async (step) => {
      await append({ type: "begin", runId, ...keyOf(step) });
      return begun.get(step.name)?.at ?? Date.now();
    },
    record: async (step, outcome) => await append({ type: "step", runId, ...keyOf(step), outcome }),
    readAnswers: () => log.refresh(),
    closeTurn: (turn) => {
      closed = [...closed, { type: "turn", runId, ...turn }];
    },
    unwritten: () => closed,
  };
}

/** Every step that an agent's run records has a place. */
function keyOf({ name, place }: NamedStep): StepKey {
  if (place === undefined) throw new TypeError(`operation ${name} has no place, which a session needs`);
  return { step: name, place };
}
