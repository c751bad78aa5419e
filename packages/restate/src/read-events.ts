import type { RunReport } from "@pollux/core/durable";
import type { EngineEvent } from "@pollux/engine";
import type { FeedPlace, FeedQuestion } from "./shared-handlers.ts";

/** What a reader needs to know about a run. */
export interface EventSourceOfRun {
  /** Resolves when the run is over; rejects if there is no such run. */
  over(signal: AbortSignal): Promise<RunReport>;
  /** The next place of the run's events, after the given one; `null`: none yet. */
  next(question: FeedQuestion, signal: AbortSignal): Promise<FeedPlace | null>;
}

/** A worker silent for this many milliseconds is gone: its heartbeat interval is ten seconds. */
const SILENCE_MS = 30_000;
const AGAIN_MS = 50;
/** How long a worker may take to send the remaining events of a run that is over, in milliseconds. */
const REST_MS = 10_000;

/** The live events of a run, from one worker after another. */
export async function* readEvents(
  source: EventSourceOfRun,
  signal: AbortSignal | undefined,
): AsyncGenerator<EngineEvent, void, void> {
  const left = new AbortController();
  const until = signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]);
  const over = new AbortController();
  const rest = new AbortController();
  let failure: { readonly error: unknown } | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  void source
    .over(until)
    .catch((error: unknown) => (failure = { error }))
    .then(() => {
      over.abort();
      timer = setTimeout(() => rest.abort(), REST_MS);
    });
  try {
    for (let after = 0; ;) {
      const place = await nextPlace(source, after, until, over.signal);
      signal?.throwIfAborted();
      if (failure !== undefined) throw failure.error;
      if (place === undefined) return;
      after = place.number;
      yield* readPlace(place, AbortSignal.any([until, rest.signal]));
      signal?.throwIfAborted();
    }
  } finally {
    left.abort();
    clearTimeout(timer);
  }
}

/** Waits for the next place; `undefined` if the run is over and there is none. */
async function nextPlace(
  source: EventSourceOfRun,
  after: number,
  until: AbortSignal,
  over: AbortSignal,
): Promise<FeedPlace | undefined> {
  for (;;) {
    const isLast = over.aborted;
    try {
      const place = await source.next({ after, wait: !isLast }, isLast ? until : AbortSignal.any([until, over]));
      if (place !== null) return place;
    } catch (error) {
      if (until.aborted) return undefined;
      if (!over.aborted) throw error;
    }
    if (isLast) return undefined;
  }
}

async function* readPlace({ number, url }: FeedPlace, until: AbortSignal): AsyncGenerator<EngineEvent, void, void> {
  for (let after = 0; ;) {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), SILENCE_MS);
    try {
      const signal = AbortSignal.any([until, silence.signal]);
      const response = await fetch(`${url}?after=${after}`, { signal });
      // The attempt is over, or its worker no longer has it.
      if (!response.ok || response.body === null) {
        await response.body?.cancel();
        return;
      }
      for await (const line of lines(response.body)) {
        timer.refresh();
        if (line === "") continue;
        // Written by a worker of this package.
        const { place, event } = JSON.parse(line) as { readonly place: number; readonly event: EngineEvent };
        after = place;
        yield { ...event, attempt: Math.max(event.attempt, number) };
      }
      return;
    } catch (error) {
      if (until.aborted || isRefused(error)) return;
      // A reader that fell behind was disconnected: it reconnects for what is still there.
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    } finally {
      clearTimeout(timer);
    }
  }
}

/** True if nothing is listening there any more. */
function isRefused(error: unknown): boolean {
  return error instanceof TypeError && error.message === "fetch failed";
}

async function* lines(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of body) {
    const parts = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}
