import type { SourceChange } from "../inspection/source.ts";
import { fieldsOf, listOf } from "../inspection/read-values.ts";
import { PRIVATE } from "./http.ts";
import type { OpenSession } from "./open-sessions.ts";

/** How often a store that can't be watched is looked at, and how soon after one change the next is told, in milliseconds. */
export interface LivePace {
  readonly pollMs: number;
  readonly quietMs: number;
  readonly keepAliveMs: number;
}

export const LIVE_PACE: LivePace = { pollMs: 1000, quietMs: 100, keepAliveMs: 15_000 };

/** What a session's live stream needs. */
export interface LiveSession {
  /** As it is now; undefined once it is gone. */
  readonly open: () => Promise<OpenSession | undefined>;
  readonly watch: ((onChange: () => void) => () => void) | undefined;
}

/** Server-sent events: `changed` after each change of a session, beginning with how it is. Ends with its reader. */
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
        tellChanges(session, controller, over, scrub, pace);
        signal.addEventListener("abort", () => over.abort(), { once: true });
        if (signal.aborted) over.abort();
      },
      cancel: () => over.abort(),
    },
    { highWaterMark: 4 },
  );
  return new Response(body, { headers: { ...PRIVATE, "content-type": "text/event-stream; charset=utf-8" } });
}

function tellChanges(
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
  /** Changes that come meanwhile are told together. */
  const look = async (): Promise<void> => {
    isLooking = true;
    while (isChanged && !over.signal.aborted) {
      isChanged = false;
      try {
        const session = await open();
        const data = session === undefined ? "" : scrub(JSON.stringify(changeOf(session)));
        // A reader that is behind is told the next time.
        const isHeard = !over.signal.aborted && (controller.desiredSize ?? 0) > 0;
        if (data === "") {
          send("event: gone\ndata: {}\n\n");
          over.abort();
        } else if (data !== last && isHeard) {
          last = data;
          send(`event: changed\ndata: ${data}\n\n`);
        }
      } catch {
        // A store that fails now is looked at again.
      }
      await new Promise((resolve) => setTimeout(resolve, pace.quietMs));
    }
    isLooking = false;
  };
  const unwatch = watch?.(changed);
  // Also one that is watched: what was kept of its requests is in another store.
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
