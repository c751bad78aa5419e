import { SessionLeaseLostError } from "../../errors/session-errors.ts";
import { MAX_TIMER_MS, sleep } from "../../internal/abort.ts";
import type { Logger } from "../../logging/logger.ts";
import type { Draft, Lease, SessionStore } from "../store/store.ts";
import { cutText } from "../../internal/text.ts";
import type { PartialResponse } from "../../loop/turn/partial-answer.ts";
import type { Part } from "../../wire/types/content.ts";

/** Renewals before a lease would expire: a few may fail, and other processes soon see that the run is alive. */
const RENEWALS = 5;

/** How often a session reads its records if the store cannot report changes, in milliseconds. */
const POLL_MS = 1000;

/** The lease of a run in this process. Appends take it and give it back; until then it is renewed, and watched for stop requests. */
export class HeldLease {
  readonly token: number;
  readonly #id: string;
  readonly #store: SessionStore;
  readonly #on: LeaseListener;
  #lease: Lease;
  #renewing: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #unwatch: (() => void) | undefined;
  /** On the monotonic clock. */
  #renewedAt: number;
  #stopped = false;
  /** The lease was given back, or lost. */
  #isOver = false;

  constructor(store: SessionStore, id: string, lease: Lease, on: LeaseListener) {
    this.#store = store;
    this.#id = id;
    this.#lease = lease;
    this.#on = on;
    this.token = lease.token;
    this.#renewedAt = performance.now();
    this.#unwatch = store.watch?.(id, () => void this.#look());
    this.#plan();
  }

  /** Gives the lease back with the run's last append. When that rejects, the lease is still held. */
  async giveBack(append: (change: { readonly expected: Lease; readonly next: Lease }) => Promise<void>): Promise<void> {
    // A renewal in progress changes the beat, and then plans the next one, which may come during this write.
    await this.#renewing;
    clearTimeout(this.#timer);
    try {
      await append({ expected: this.#lease, next: { ...this.#lease, ...this.#trace(), held: false } });
      this.#isOver = true;
      this.release();
    } catch (error) {
      if (!this.#stopped) this.#plan();
      throw error;
    }
  }

  /** Makes the lease of a run without an end expire at once, and keeps the draft. Never rejects. */
  async abandon(): Promise<void> {
    this.release();
    if (this.#isOver) return;
    await this.#renewing;
    const expired = { ...this.#lease, beat: this.#lease.beat + 1, durationMs: 0 };
    await this.#store.setLease(this.#id, this.#lease, expired).catch(() => {});
  }

  /** Replaces or removes the draft of the run's unfinished answer. */
  async setDraft(draft: Omit<Draft, "runId" | "traceparent"> | undefined): Promise<void> {
    const { runId } = this.#lease;
    await this.#store.setDraft(this.#id, this.token, draft && { runId, ...draft, ...this.#trace() });
  }

  release(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#unwatch?.();
  }

  #plan(): void {
    clearTimeout(this.#timer);
    const every = this.#lease.durationMs / RENEWALS;
    const wait = this.#store.watch === undefined ? Math.min(every, POLL_MS) : Math.min(every, MAX_TIMER_MS);
    this.#timer = setTimeout(() => {
      const isDue = performance.now() - this.#renewedAt >= every - 1;
      this.#renewing = Promise.all([isDue && this.#renew(), this.#look()]).then(() => {
        if (!this.#stopped) this.#plan();
      });
    }, wait);
    // Lets the process exit meanwhile. Where timers are numbers, there is no such method.
    (this.#timer as { readonly unref?: () => void }).unref?.();
  }

  async #renew(): Promise<void> {
    const next = { ...this.#lease, ...this.#trace(), beat: this.#lease.beat + 1 };
    const begun = performance.now();
    try {
      if (await this.#store.setLease(this.#id, this.#lease, next)) {
        this.#lease = next;
        this.#renewedAt = begun;
        return;
      }
      // An earlier attempt may have been written although its response was lost.
      const { lease } = await this.#store.records(this.#id);
      if (lease?.held === true && lease.token === this.token) this.#lease = lease;
      else this.#lost();
    } catch (error) {
      this.#on.logger.warn({ err: error }, "the session's lease could not be renewed; retrying");
      if (performance.now() - this.#renewedAt >= this.#lease.durationMs) this.#lost();
    }
  }

  #trace(): Pick<Lease, "traceparent"> {
    const traceparent = this.#on.traceparent();
    return traceparent === undefined ? {} : { traceparent };
  }

  #lost(): void {
    if (this.#stopped) return;
    this.#isOver = true;
    this.release();
    this.#on.lost(new SessionLeaseLostError(this.#id, this.token));
  }

  async #look(): Promise<void> {
    // The next renewal finds out what is wrong.
    const found = await this.#store.records(this.#id).catch(() => undefined);
    if (!this.#stopped && found?.stopToken === this.token) this.#on.stop();
  }
}

/** Callbacks by which a run follows its lease. */
export interface LeaseListener {
  readonly logger: Logger;
  /** W3C `traceparent` of the run, once it is known. */
  traceparent(): string | undefined;
  /** A stop of the run was requested. May be called more than once. */
  stop(): void;
  /** Another process has the session, or may have it. */
  lost(error: SessionLeaseLostError): void;
}

/** Repeats a look at a session whenever it may have changed or a time has passed, until a look finds something or the signal aborts. */
export async function lookUntil<Found>(
  store: SessionStore,
  id: string,
  signal: AbortSignal | undefined,
  look: () => Promise<{ readonly found: Found } | { readonly againInMs: number }>,
): Promise<Found> {
  const first = await look();
  if ("found" in first) return first.found;
  let wake = new AbortController();
  // Watch before the next look, so that no change is missed between a look and the wait after it.
  const stopWatching = store.watch?.(id, () => wake.abort());
  try {
    for (;;) {
      signal?.throwIfAborted();
      const seen = await look();
      if ("found" in seen) return seen.found;
      const atMostMs = store.watch === undefined ? Math.min(POLL_MS, seen.againInMs) : seen.againInMs;
      const ended = signal === undefined ? wake.signal : AbortSignal.any([signal, wake.signal]);
      await sleep(Math.max(1, atMostMs), ended).catch(() => {});
      wake = new AbortController();
    }
  } finally {
    stopWatching?.();
  }
}

/** Minimum time between two writes of a draft, in milliseconds. */
const DRAFT_EVERY_MS = 500;

/** Maximum size of a draft: characters of its parts as JSON. */
const MAX_DRAFT_CHARACTERS = 262_144;

/**
 * Keeps the draft of an unfinished answer in its store: at most two writes a second, one at a time. A slow store delays no run.
 *
 * @returns `changed`: call it whenever the unfinished answer has grown or become void.
 */
export function writeDrafts(
  lease: HeldLease,
  logger: Logger,
): { readonly changed: (partial: PartialResponse) => void; readonly release: () => void } {
  let last: PartialResponse | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isWriting = false;
  let isStored = false;
  let hasFailed = false;
  const changed = (partial: PartialResponse): void => {
    last = partial;
    if (timer === undefined && !isWriting) timer = setTimeout(() => void write(), DRAFT_EVERY_MS);
  };
  const write = async (): Promise<void> => {
    timer = undefined;
    const partial = last;
    last = undefined;
    if (partial === undefined) return;
    const { step, place, attempt, unchecked } = partial;
    const { parts, truncated } = boundParts(partial.shown());
    if (parts.length === 0 && !isStored) return;
    isWriting = true;
    try {
      const about = { ...(unchecked !== undefined && { guarded: true as const }), ...(truncated && { truncated }) };
      await lease.setDraft(parts.length === 0 ? undefined : { step, place, attempt, parts, ...about });
      isStored = parts.length > 0;
    } catch (error) {
      // The run does not depend on the draft, and its next append reports what is wrong with the store.
      if (!hasFailed) logger.warn({ err: error }, "a draft could not be written");
      hasFailed = true;
    }
    isWriting = false;
    if (last !== undefined) changed(last);
  };
  const release = (): void => {
    clearTimeout(timer);
    timer = undefined;
    last = undefined;
    isWriting = true;
  };
  return { changed, release };
}

/** The first parts, as many as fit into a draft; the last text is cut. */
export function boundParts(all: readonly Part[]): { readonly parts: readonly Part[]; readonly truncated: boolean } {
  let room = MAX_DRAFT_CHARACTERS;
  const parts: Part[] = [];
  for (const part of all) {
    const { text, inlineData } = part;
    const long = (text?.length ?? 0) + (inlineData?.data.length ?? 0);
    // Media that are too large are not serialized just to measure them.
    const size = long > room ? long : JSON.stringify(part).length;
    if (size > room) {
      const isText = Object.keys(part).every((key) => key === "text" || key === "thought");
      if (isText && text !== undefined) parts.push({ ...part, text: cutText(text, Math.max(0, room - 32)) });
      return { parts, truncated: true };
    }
    parts.push(part);
    room -= size;
  }
  return { parts, truncated: false };
}
