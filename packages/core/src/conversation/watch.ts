import { whenAborted } from "../internal/abort.ts";
import type { Conversation, ConversationUpdate } from "./conversation.ts";
import { SessionWatch, type WatchedSession } from "./session-watch.ts";

/** Updates that wait for a slow reader before it gets a snapshot instead. */
const MAX_WAITING = 256;

/** A session of an agent. */
export interface WatchableSession {
  /** @internal */
  watched(): WatchedSession;
}

/** The conversation of a session as a person sees it, also while a run is going, in whatever process. */
export async function readConversation(session: WatchableSession): Promise<Conversation> {
  const reader = new Reader(session.watched());
  try {
    return await reader.open();
  } finally {
    reader.close();
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
  const reader = new Reader(session.watched());
  const updates = readUpdates(reader, signal);
  return {
    next: () => updates.next(),
    return: () => {
      // A read that is waiting ends as well.
      reader.close();
      return updates.return();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

async function* readUpdates(
  reader: Reader,
  signal: AbortSignal | undefined,
): AsyncGenerator<ConversationUpdate, void, void> {
  const unlisten = whenAborted(signal, () => reader.close());
  try {
    if (reader.isClosed) return;
    await reader.open();
    for (let updates = await reader.next(); updates !== undefined; updates = await reader.next()) yield* updates;
  } catch (error) {
    if (!reader.isClosed) throw error;
  } finally {
    unlisten();
    reader.close();
  }
}

/** What one reader has yet to be told. */
class Reader {
  readonly #session: WatchedSession;
  #watch: SessionWatch | undefined;
  /** Undefined before the first snapshot, and when too much has happened to tell it one by one. */
  #waiting: ConversationUpdate[] | undefined;
  isClosed = false;

  constructor(session: WatchedSession) {
    this.#session = session;
  }

  /** The conversation as it is now. Called before anything else. */
  async open(): Promise<Conversation> {
    this.#watch = SessionWatch.of(this.#session);
    await this.#watch.enter(this.#push);
    return this.#watch.conversation;
  }

  /** A snapshot; then what has happened since the last call, once something has. Undefined when it is closed. */
  async next(): Promise<readonly ConversationUpdate[] | undefined> {
    for (;;) {
      const watch = this.#watch;
      if (this.isClosed || watch === undefined) return undefined;
      watch.check();
      const updates = this.#waiting ?? [{ type: "snapshot", conversation: watch.conversation }];
      this.#waiting = [];
      if (updates.length > 0) return updates;
      await watch.change();
    }
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#watch?.leave(this.#push);
  }

  readonly #push = (update: ConversationUpdate): void => {
    if (this.#waiting === undefined) return;
    const joined = joinText(this.#waiting.at(-1), update);
    if (joined !== undefined) this.#waiting.pop();
    this.#waiting.push(joined ?? update);
    if (this.#waiting.length >= MAX_WAITING) this.#waiting = undefined;
  };
}

/** Two updates as one, when both say nothing but more of the same text. */
function joinText(a: ConversationUpdate | undefined, b: ConversationUpdate): ConversationUpdate | undefined {
  if (a?.type !== "changes" || b.type !== "changes" || a.changes.length !== 1 || b.changes.length !== 1)
    return undefined;
  const [[one], [other]] = [a.changes, b.changes];
  if (one?.type !== "text" || other?.type !== "text") return undefined;
  const { messageId, partId, offset, delta } = one;
  const isNext = messageId === other.messageId && partId === other.partId && offset + delta.length === other.offset;
  return isNext ? { ...b, changes: [{ ...one, delta: delta + other.delta }] } : undefined;
}
