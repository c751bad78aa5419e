import { startTimer } from "../internal/abort.ts";
import type { RunEvent } from "../loop/events.ts";
import type { SessionEntry } from "../session/log/entries.ts";
import type { LeaseFinding } from "../session/lease/lease-taker.ts";
import type { SessionLog } from "../session/log/session-log.ts";
import type { Conversation, ConversationChange, ConversationUpdate } from "./conversation.ts";
import { LogFold } from "./fold/conversation-fold.ts";
import type { EventTap } from "./event-tap.ts";

/** A session as it is watched. */
export interface WatchedSession {
  readonly log: SessionLog;
  /** Of the runs of this object. */
  readonly events: EventTap;
  /** Whether a run is going, and the log as of then. */
  look(): Promise<LeaseFinding>;
}

/** Updates that wait for a slow reader before it gets a snapshot instead. */
const MAX_WAITING = 256;

/** How often a store is looked at that cannot tell of changes, in milliseconds. */
const POLL_MS = 1000;

/** A session of an agent. */
export interface WatchableSession {
  /** @internal */
  watched(): WatchedSession;
}

/** The conversation of a session as a person sees it, also while a run is going, in whatever process. */
export async function readConversation(session: WatchableSession): Promise<Conversation> {
  const follower = new Follower(session.watched());
  try {
    await follower.open();
    return follower.conversation;
  } finally {
    follower.close();
  }
}

/**
 * Follows the conversation of a session, over all its runs: a snapshot first, then what changes, for `applyUpdate`. A run of this object
 * is followed word by word if it is read as a stream or was watched when it began; any other by what is stored, twice a second at most.
 *
 * A slow reader holds nothing up: it gets another snapshot instead of what it has missed. Starts no run.
 *
 * @param options - `signal`: ends it, as leaving the loop does.
 */
export function watchConversation(
  session: WatchableSession,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): AsyncIterableIterator<ConversationUpdate> {
  const follower = new Follower(session.watched());
  const updates = readUpdates(follower, signal);
  return {
    next: () => updates.next(),
    return: () => {
      // A read that is waiting ends as well.
      follower.close();
      return updates.return();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

async function* readUpdates(
  follower: Follower,
  signal: AbortSignal | undefined,
): AsyncGenerator<ConversationUpdate, void, void> {
  const close = (): void => follower.close();
  signal?.addEventListener("abort", close, { once: true });
  try {
    if (signal?.aborted === true) return;
    await follower.open();
    if (!follower.isClosed) yield { type: "snapshot", conversation: follower.conversation };
    for (let updates = await follower.next(); updates !== undefined; updates = await follower.next()) yield* updates;
  } catch (error) {
    if (!follower.isClosed) throw error;
  } finally {
    signal?.removeEventListener("abort", close);
    close();
  }
}

/** Keeps up with a session for one reader. The store is looked at only while the reader waits. */
class Follower {
  readonly #session: WatchedSession;
  readonly #fold: LogFold;
  /** Entries that came while the log was read. */
  #early: { readonly entry: SessionEntry; readonly place: number }[] | undefined = [];
  #waiting: ConversationUpdate[] = [];
  /** Too much has happened to tell it one by one. */
  #isBehind = false;
  #failure: { readonly error: unknown } | undefined;
  #unwatch: (() => void) | undefined;
  /** The store may have changed since it was looked at. */
  #isStale = false;
  #wake: (() => void) | undefined;
  /** When the lease that was seen has expired, in milliseconds from then. */
  #leftMs: number | undefined;
  isClosed = false;

  constructor(session: WatchedSession) {
    this.#session = session;
    this.#fold = new LogFold(session.log.id);
  }

  get conversation(): Conversation {
    return this.#fold.conversation;
  }

  async open(): Promise<void> {
    const { log, events } = this.#session;
    log.listeners.add(this.#onEntry);
    this.#unwatch = log.store.watch?.(log.id, () => {
      this.#isStale = true;
      this.#wake?.();
    });
    const { draft } = await log.store.records(log.id);
    const found = await this.#session.look();
    const { length } = log.view;
    const entries = await log.load(0);
    if (this.isClosed) return;
    // From here to the end nothing else happens.
    for (const entry of entries.slice(0, length)) this.#fold.addEntry(entry);
    for (const { entry, place } of this.#early ?? []) this.#addEntry(entry, place);
    this.#early = undefined;
    const isOld = log.view.length > length;
    this.#fold.addRecords({ isRunning: isOld || log.running || found.state === "held", draft });
    this.#isStale ||= isOld;
    const recent = events.listen(this.#onEvent);
    if (log.running) for (const event of recent) this.#fold.addEvent(event);
    this.#leftMs = found.state === "held" ? found.leftMs : undefined;
  }

  /** What has happened since the last call, once something has; undefined when it is closed. */
  async next(): Promise<readonly ConversationUpdate[] | undefined> {
    for (;;) {
      if (this.isClosed) return undefined;
      if (this.#failure !== undefined) throw this.#failure.error;
      const updates = this.#take();
      if (updates.length > 0) return updates;
      if (this.#isStale && !this.#isHere()) await this.#look();
      else await this.#change();
    }
  }

  close(): void {
    if (this.isClosed) return;
    const { log, events } = this.#session;
    this.isClosed = true;
    log.listeners.delete(this.#onEntry);
    events.leave(this.#onEvent);
    this.#unwatch?.();
    this.#wake?.();
  }

  /** A run of this object is followed by its events, and the log by what it writes. */
  #isHere(): boolean {
    return this.#session.log.running && this.#fold.isFollowing;
  }

  async #look(): Promise<void> {
    const { log } = this.#session;
    this.#isStale = false;
    const { draft } = await log.store.records(log.id);
    const found = await this.#session.look();
    this.#leftMs = found.state === "held" ? found.leftMs : undefined;
    // The log was read by then, and each of its entries was heard.
    if (!this.#isHere()) this.#push(this.#fold.addRecords({ isRunning: found.state === "held", draft }));
  }

  /** Resolves when something may have changed. */
  async #change(): Promise<void> {
    const polls = this.#unwatch === undefined;
    const atMostMs = Math.min(polls ? POLL_MS : Infinity, this.#leftMs ?? Infinity);
    let stopTimer: (() => void) | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (atMostMs < Infinity)
        stopTimer = startTimer(Math.max(1, atMostMs), () => {
          this.#isStale = true;
          resolve();
        });
    });
    stopTimer?.();
    this.#wake = undefined;
  }

  #take(): readonly ConversationUpdate[] {
    if (this.#isBehind) {
      this.#isBehind = false;
      return [{ type: "snapshot", conversation: this.conversation }];
    }
    const updates = this.#waiting;
    this.#waiting = [];
    return updates;
  }

  readonly #onEntry = (entry: SessionEntry, place: number): void => {
    if (this.#early === undefined) this.#safely(() => this.#push(this.#addEntry(entry, place)));
    else this.#early.push({ entry, place });
  };

  readonly #onEvent = (event: RunEvent): void => this.#safely(() => this.#push(this.#fold.addEvent(event)));

  #addEntry(entry: SessionEntry, place: number): ConversationUpdate | undefined {
    return place < this.conversation.position.log ? undefined : this.#fold.addEntry(entry);
  }

  /** A run must not fail because somebody watches it. */
  #safely(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#wake?.();
  }

  #push(update: ConversationUpdate | undefined): void {
    if (update === undefined || this.#isBehind) return;
    const joined = joinText(this.#waiting.at(-1), update);
    if (joined !== undefined) this.#waiting.pop();
    this.#waiting.push(joined ?? update);
    if (this.#waiting.length < MAX_WAITING) return;
    this.#isBehind = true;
    this.#waiting = [];
  }
}

/** Two updates as one, when both say nothing but more of the same text. */
function joinText(a: ConversationUpdate | undefined, b: ConversationUpdate): ConversationUpdate | undefined {
  const [one, other] = [onlyText(a), onlyText(b)];
  if (one === undefined || other === undefined || b.type !== "changes") return undefined;
  const isNext =
    one.messageId === other.messageId && one.partId === other.partId && one.offset + one.delta.length === other.offset;
  return isNext ? { ...b, changes: [{ ...one, delta: one.delta + other.delta }] } : undefined;
}

function onlyText(update: ConversationUpdate | undefined): Extract<ConversationChange, { type: "text" }> | undefined {
  const [only, ...others] = update?.type === "changes" ? update.changes : [];
  return only?.type === "text" && others.length === 0 ? only : undefined;
}
