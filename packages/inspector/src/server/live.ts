import type { SourceChange } from "../inspection/source.ts";
import { fieldsOf, listOf } from "../inspection/read-values.ts";
import { PRIVATE } from "./http.ts";
import type { OpenSession } from "./open-sessions.ts";

/** Intervals in milliseconds: between polls, between two changes, and between two keep-alives. */
export interface LivePace {
  readonly pollMs: number;
  readonly quietMs: number;
  readonly keepAliveMs: number;
}

export const LIVE_PACE: LivePace = { pollMs: 1000, quietMs: 100, keepAliveMs: 15_000 };

/** The session of a live stream. */
export interface LiveSession {
  /** As it is now; undefined once it is gone. */
  readonly open: () => Promise<OpenSession | undefined>;
  readonly watch: ((onChange: () => void) => () => void) | undefined;
}

/** Server-sent events: `changed` with the current state of a session, then after each change. Ends when its reader leaves. */
export function liveResponse(
  session: LiveSession,
  signal: AbortSignal,
  scrub: (text: string) => string,
  pace: LivePace = LIVE_PACE,
): Response {
  const over = new AbortController();
  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        sendChanges(session, controller, over, scrub, pace);
        signal.addEventListener("abort", () => over.abort(), { once: true });
        if (signal.aborted) over.abort();
      },
      cancel: () => over.abort(),
    },
    { highWaterMark: 4 },
  );
  return new Response(body, { headers: { ...PRIVATE, "content-type": "text/event-stream; charset=utf-8" } });
}

function sendChanges(
  { open, watch }: LiveSession,
  controller: ReadableStreamDefaultController<Uint8Array>,
  over: AbortController,
  scrub: (text: string) => string,
  pace: LivePace,
): void {
  const encoder = new TextEncoder();
  let [isLooking, isChanged, last] = [false, false, ""];
  const send = (text: string): void => {
    if (!over.signal.aborted) controller.enqueue(encoder.encode(text));
  };
  const changed = (): void => {
    isChanged = true;
    if (!isLooking) void look();
  };
  /** Sends one event for all changes that arrive in the meantime. */
  const look = async (): Promise<void> => {
    isLooking = true;
    while (isChanged && !over.signal.aborted) {
      isChanged = false;
      try {
        const session = await open();
        const data = session === undefined ? "" : scrub(JSON.stringify(changeOf(session)));
        // A reader that falls behind gets the next event.
        const isReady = !over.signal.aborted && (controller.desiredSize ?? 0) > 0;
        if (data === "") {
          send("event: gone\ndata: {}\n\n");
          over.abort();
        } else if (data !== last && isReady) {
          last = data;
          send(`event: changed\ndata: ${data}\n\n`);
        }
      } catch {
        // The next poll reads a failed store again.
      }
      await new Promise((resolve) => setTimeout(resolve, pace.quietMs));
    }
    isLooking = false;
  };
  const unwatch = watch?.(changed);
  // Polls even a watched store: kept exchanges are in another one.
  const timers = [setInterval(changed, pace.pollMs), setInterval(() => send(": keep-alive\n\n"), pace.keepAliveMs)];
  over.signal.addEventListener("abort", () => {
    for (const timer of timers) clearInterval(timer);
    unwatch?.();
    try {
      controller.close();
    } catch {
      // Its reader has left.
    }
  });
  changed();
}

function changeOf(open: OpenSession): SourceChange {
  const isRunning = open.isRunning();
  const { step, parts } = fieldsOf(isRunning ? open.records.draft : undefined);
  const textOf = (isThought: boolean): string =>
    listOf(parts)
      .map(fieldsOf)
      .filter(({ thought }) => (thought === true) === isThought)
      .map(({ text }) => (typeof text === "string" ? text : ""))
      .join("");
  return {
    length: open.fold.length,
    exchanges: open.exchanges.rows.length,
    state: open.fold.state(isRunning),
    draft: step === undefined ? undefined : { text: textOf(false), thoughts: textOf(true) },
  };
}
