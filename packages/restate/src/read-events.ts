import type { EngineEvent, RunReport } from "@pollux/core/durable";
import type { FeedPlace, FeedQuestion } from "./shared-handlers.ts";

/** Where a reader learns of a run. */
export interface EventSourceOfRun {
  /** Resolves when the run is over; rejects when there is no such run. */
  over(signal: AbortSignal): Promise<RunReport>;
  /** Where the run's events are after that place; `null`: nowhere yet. */
  next(asked: FeedQuestion, signal: AbortSignal): Promise<FeedPlace | null>;
}

/** A worker that says nothing for so long, in milliseconds, is gone: it beats every ten seconds. */
const SILENCE_MS = 30_000;
const AGAIN_MS = 50;
/** How long a worker may take to hand over what it has of a run that is over, in milliseconds. */
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

/** Waits for the next place; `undefined` when the run is over and there is none. */
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
      // The attempt is over, or its worker has forgotten it.
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
      // A reader that fell behind was let go: it comes again for what is still there.
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    } finally {
      clearTimeout(timer);
    }
  }
}

/** True when nobody listens there any more. */
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
