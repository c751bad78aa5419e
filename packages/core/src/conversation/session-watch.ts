import { startTimer, whenAborted } from "../internal/abort.ts";
import type { RunEvent } from "../loop/events.ts";
import type { LeaseFinding } from "../session/lease/lease-taker.ts";
import type { SessionEntry } from "../session/log/entries.ts";
import type { SessionLog } from "../session/log/session-log.ts";
import type { Conversation, ConversationUpdate } from "./conversation.ts";
import type { EventTap } from "../loop/run-stream.ts";
import { LogFold, type SeenRecords } from "./fold/log-fold.ts";

/** Updates that wait for a slow reader before it gets a snapshot instead. */
const MAX_WAITING = 256;

/** A session of an agent. */
export interface WatchableSession {
  /** @internal */
  watched(): WatchedSession;
}

/** The conversation of a session as a person sees it, also while a run is in progress, in any process. */
export async function readConversation(session: WatchableSession): Promise<Conversation> {
  const watch = SessionWatch.of(session.watched());
  const reader = (): void => {};
  try {
    await watch.enter(reader);
    return watch.conversation;
  } finally {
    watch.leave(reader);
  }
}

/**
 * Follows the conversation of a session, over all its runs: a snapshot first, then changes, for `applyUpdate`. A run of this object is
 * followed word by word if it is read as a stream or was watched when it began; any other by what is stored, at most twice a second.
 *
 * A slow reader delays nothing: it gets another snapshot instead of the updates that it has missed. Starts no run.
 *
 * @param options - `signal`: ends it, as leaving the loop does.
 */
export function watchConversation(
  session: WatchableSession,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): AsyncIterableIterator<ConversationUpdate> {
  const watched = session.watched();
  let watch: SessionWatch | undefined;
  /** Undefined before the first snapshot, and after too many updates for a slow reader. */
  let waiting: ConversationUpdate[] | undefined;
  let isClosed = false;
  const push = (update: ConversationUpdate): void => {
    if (waiting === undefined) return;
    const joined = joinText(waiting.at(-1), update);
    if (joined !== undefined) waiting.pop();
    waiting.push(joined ?? update);
    if (waiting.length >= MAX_WAITING) waiting = undefined;
  };
  const close = (): void => {
    if (!isClosed) watch?.leave(push);
    isClosed = true;
  };
  async function* read(): AsyncGenerator<ConversationUpdate, void, void> {
    const unlisten = whenAborted(signal, close);
    try {
      if (isClosed) return;
      watch = SessionWatch.of(watched);
      await watch.enter(push);
      for (;;) {
        if (isClosed) return;
        watch.check();
        const updates: readonly ConversationUpdate[] = waiting ?? [
          { type: "snapshot", conversation: watch.conversation },
        ];
        waiting = [];
        yield* updates;
        if (updates.length === 0) await watch.change();
      }
    } catch (error) {
      if (!isClosed) throw error;
    } finally {
      unlisten();
      close();
    }
  }
  const updates = read();
  return {
    next: () => updates.next(),
    return: () => {
      // Also ends a read that is waiting.
      close();
      return updates.return();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** Two updates as one, if both only add to the same text. */
function joinText(a: ConversationUpdate | undefined, b: ConversationUpdate): ConversationUpdate | undefined {
  if (a?.type !== "changes" || b.type !== "changes" || a.changes.length !== 1 || b.changes.length !== 1)
    return undefined;
  const [[one], [other]] = [a.changes, b.changes];
  if (one?.type !== "text" || other?.type !== "text") return undefined;
  const { messageId, partId, offset, delta } = one;
  const isNext = messageId === other.messageId && partId === other.partId && offset + delta.length === other.offset;
  return isNext ? { ...b, changes: [{ ...one, delta: delta + other.delta }] } : undefined;
}

/** What a watch needs from a session. */
export interface WatchedSession {
  readonly id: string;
  /** Events of the runs of this object. */
  readonly events: EventTap;
  open(): Promise<OpenedSession>;
}

interface OpenedSession {
  readonly log: SessionLog;
  /** Finds out whether a run is in progress, and refreshes the log. */
  readonly look: () => Promise<LeaseFinding>;
}

/** How often a store that cannot report changes is read, in milliseconds. */
const POLL_MS = 1000;

const watches = new WeakMap<EventTap, SessionWatch>();

/** Follows a session, once for all its readers in this process. Reads the store only while one of them waits. */
export class SessionWatch {
  readonly #session: WatchedSession;
  #opened: OpenedSession | undefined;
  readonly #fold: LogFold;
  readonly #readers: Set<(update: ConversationUpdate) => void> = new Set();
  /** Functions that wake the readers that wait. */
  readonly #wakes: Set<() => void> = new Set();
  #opening: Promise<void> | undefined;
  #looking: Promise<void> | undefined;
  /** Entries that arrived while the log was read. */
  #early: [entry: SessionEntry, place: number][] | undefined = [];
  #failure: { readonly error: unknown } | undefined;
  #unwatch: (() => void) | undefined;
  #stopTimer: (() => void) | undefined;
  /** The store may have changed since it was last read. */
  #isStale = false;
  /** Milliseconds from the last read until the lease expires. */
  #leftMs = Infinity;
  #isClosed = false;

  private constructor(session: WatchedSession) {
    this.#session = session;
    this.#fold = new LogFold(session.id);
  }

  /** The watch that a session's readers share; a new one for the first reader. */
  static of(session: WatchedSession): SessionWatch {
    const watch = watches.get(session.events) ?? new SessionWatch(session);
    watches.set(session.events, watch);
    return watch;
  }

  get conversation(): Conversation {
    return this.#fold.conversation;
  }

  /** Adds a reader of updates. Resolves once the conversation is up to date. */
  async enter(reader: (update: ConversationUpdate) => void): Promise<void> {
    const isFirst = this.#opening === undefined;
    this.#opening ??= this.#open();
    this.#readers.add(reader);
    await this.#opening.catch((error: unknown) => this.#fail(error));
    // Another process's writes may be unseen, also by a look that is in progress.
    if (!isFirst && this.#failure === undefined && !this.#isHere()) {
      await this.#looking?.catch(() => {});
      await this.#look();
    }
    this.check();
  }

  leave(reader: (update: ConversationUpdate) => void): void {
    this.#readers.delete(reader);
    this.#wake();
    if (this.#readers.size === 0) this.#close();
  }

  /** @throws The error that ended the watch. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Resolves when something may have changed. */
  async change(): Promise<void> {
    if (this.#isStale && !this.#isHere()) return await this.#look();
    await new Promise<void>((resolve) => {
      this.#wakes.add(resolve);
      const atMostMs = Math.min(this.#unwatch === undefined ? POLL_MS : Infinity, this.#leftMs);
      if (atMostMs < Infinity) this.#stopTimer ??= startTimer(Math.max(1, atMostMs), this.#onStale);
    });
  }

  async #open(): Promise<void> {
    const { events } = this.#session;
    // Before anything else, so that a run that begins meanwhile emits events.
    events.listen(this.#onEvent);
    const { log, look } = (this.#opened = await this.#session.open());
    if (this.#isClosed) return;
    log.listeners.add(this.#onEntry);
    this.#unwatch = log.store.watch?.(log.id, this.#onStale);
    const seen = await this.#readRecords(log, look);
    const { length } = log.view;
    const entries = await log.load(0);
    if (this.#isClosed) return;
    // Nothing is awaited from here to the end.
    for (const entry of entries.slice(0, length)) this.#fold.addEntry(entry);
    for (const [entry, place] of this.#early ?? []) this.#addEntry(entry, place);
    this.#early = undefined;
    const isOld = log.view.length > length;
    this.#fold.addRecords({ ...seen, isRunning: isOld || log.running || seen.isRunning });
    this.#isStale ||= isOld;
    const recent = events.listen(this.#onEvent);
    if (log.running) for (const event of recent) this.#fold.addEvent(event);
  }

  #close(): void {
    if (this.#isClosed) return;
    const { events } = this.#session;
    this.#isClosed = true;
    if (watches.get(events) === this) watches.delete(events);
    this.#opened?.log.listeners.delete(this.#onEntry);
    events.leave(this.#onEvent);
    this.#unwatch?.();
    this.#stopTimer?.();
  }

  /** The next reader starts over. */
  #fail(error: unknown): void {
    this.#failure ??= { error };
    if (watches.get(this.#session.events) === this) watches.delete(this.#session.events);
    this.#wake();
  }

  /** True during a run of this object: its events and its writes show everything. */
  #isHere(): boolean {
    return this.#opened?.log.running === true && this.#fold.isFollowing;
  }

  /** Reads the store; callers meanwhile share the read. */
  async #look(): Promise<void> {
    this.#looking ??= this.#addRecords().finally(() => (this.#looking = undefined));
    await this.#looking.catch((error: unknown) => this.#fail(error));
  }

  async #addRecords(): Promise<void> {
    const { log, look } = this.#opened ?? (await this.#session.open());
    const { length } = log.view;
    const seen = await this.#readRecords(log, look);
    if (this.#isHere()) return;
    // Entries written meanwhile may belong to a run that had not begun.
    if (log.view.length > length) this.#isStale = true;
    else this.#publish(this.#fold.addRecords(seen));
    // The other readers wait for what this look found, or for the lease that was seen before.
    this.#wake();
  }

  async #readRecords(log: SessionLog, look: OpenedSession["look"]): Promise<SeenRecords> {
    this.#isStale = false;
    const { draft } = await log.store.records(log.id);
    const found = await look();
    this.#leftMs = found.state === "held" ? found.leftMs : Infinity;
    return { isRunning: found.state === "held", draft };
  }

  #wake(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    const wakes = [...this.#wakes];
    this.#wakes.clear();
    for (const wake of wakes) wake();
  }

  readonly #onStale = (): void => {
    this.#isStale = true;
    this.#wake();
  };

  readonly #onEntry = (entry: SessionEntry, place: number): void => {
    if (this.#early === undefined) this.#safely(() => this.#addEntry(entry, place));
    else this.#early.push([entry, place]);
  };

  readonly #onEvent = (event: RunEvent): void => {
    if (this.#early === undefined) this.#safely(() => this.#fold.addEvent(event));
  };

  #addEntry(entry: SessionEntry, place: number): ConversationUpdate | undefined {
    return place < this.conversation.position.log ? undefined : this.#fold.addEntry(entry);
  }

  /** A run must not fail because it is watched. */
  #safely(add: () => ConversationUpdate | undefined): void {
    try {
      this.#publish(add());
    } catch (error) {
      this.#fail(error);
    }
    this.#wake();
  }

  #publish(update: ConversationUpdate | undefined): void {
    if (update === undefined) return;
    for (const reader of this.#readers) reader(update);
  }
}
