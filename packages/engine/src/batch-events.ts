import type { RunEvent } from "@pollux/core";

/** Longest delay of a timer. */
const MAX_TIMER_MS = 2_147_483_647;

/** A live event for a reader in another process. Plain JSON. */
export interface EngineEvent {
  readonly runId: string;
  /** Name of the step that reported it, such as `model:3`. */
  readonly step: string;
  readonly attempt: number;
  /** From 0 within an attempt of a step. A value not above the last means that the step was restarted: discard what it reported before. */
  readonly seq: number;
  readonly event: RunEvent;
}

/** Options of batching events. */
export interface BatchEventsOptions {
  /** Milliseconds to collect events before sending them. @defaultValue 25 */
  readonly everyMs?: number | undefined;
  /** Maximum bytes of text to collect; beyond it `emit` waits for sending. @defaultValue 65_536 */
  readonly maxBytes?: number | undefined;
  /** Called when sending failed; those events are lost, the run continues. @defaultValue ignores it */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** The step that reports an event. */
export interface EventSource {
  readonly runId: string;
  readonly step: string;
  readonly attempt: number;
}

/** Batches live events for a reader in another process. */
export interface EventBatcher {
  /** Resolves when there is room for more. Never rejects. */
  emit(from: EventSource, event: RunEvent): Promise<void>;
  /** Sends what is left, and resolves once everything is sent. Later events are dropped. Never rejects. */
  close(): Promise<void>;
}

type Delta = Extract<RunEvent, { type: "text-delta" | "thought-delta" }>;

/**
 * Sends live events in few messages: events within a short time go out together, and adjacent deltas of one kind are joined.
 *
 * @param send - Called for one batch at a time, in order.
 */
export function batchEvents(
  send: (events: readonly EngineEvent[]) => Promise<void>,
  options: BatchEventsOptions = {},
): EventBatcher {
  const { everyMs = 25, maxBytes = 65_536, onError } = options;
  const counts = new Map<string, number>();
  let waiting: EngineEvent[] = [];
  let bytes = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** The last batch sent, and the one after it. */
  let latest: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  let busy = false;
  let closed = false;

  function add(from: EventSource, event: RunEvent): void {
    const last = waiting.at(-1);
    const joined = last === undefined ? undefined : joinedWith(last, from, event);
    bytes += "delta" in event && typeof event.delta === "string" ? event.delta.length : JSON.stringify(event).length;
    if (joined !== undefined) {
      waiting[waiting.length - 1] = joined;
      return;
    }
    const key = `${from.runId} ${from.attempt} ${from.step}`;
    const seq = counts.get(key) ?? 0;
    counts.set(key, seq + 1);
    const { runId, step, attempt } = from;
    waiting.push({ runId, step, attempt, seq, event });
  }

  /** Resolves when everything waiting now is sent. Events that arrive while a batch is in flight join the next one. */
  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length === 0) return latest;
    if (!busy) return (latest = sendWaiting());
    next ??= latest.then(() => {
      next = undefined;
      return flush();
    });
    return next;
  }

  async function sendWaiting(): Promise<void> {
    busy = true;
    const events = waiting;
    waiting = [];
    bytes = 0;
    try {
      await send(events);
    } catch (error) {
      onError?.(error);
    } finally {
      busy = false;
    }
  }

  return {
    emit: async (from, event) => {
      if (closed) return;
      add(from, event);
      if (bytes >= maxBytes) return await flush();
      timer ??= setTimeout(() => void flush(), Math.min(everyMs, MAX_TIMER_MS));
    },
    close: async () => {
      closed = true;
      await flush();
    },
  };
}

function joinedWith(last: EngineEvent, from: EventSource, event: RunEvent): EngineEvent | undefined {
  if (!isDelta(event) || !isDelta(last.event)) return undefined;
  const isSame =
    last.runId === from.runId &&
    last.step === from.step &&
    last.attempt === from.attempt &&
    last.event.type === event.type &&
    last.event.turn === event.turn;
  return isSame ? { ...last, event: { ...event, delta: last.event.delta + event.delta } } : undefined;
}

function isDelta(event: RunEvent): event is Delta {
  return event.type === "text-delta" || event.type === "thought-delta";
}
