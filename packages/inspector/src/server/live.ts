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
  open(): Promise<OpenSession | undefined>;
  readonly watch: ((onChange: () => void) => () => void) | undefined;
}

/** Server-sent events: `changed` after each change of a session, beginning with how it is. Ends with its reader. */
export function liveResponse(
  session: LiveSession,
  signal: AbortSignal,
  scrub: (text: string) => string,
  pace: LivePace = LIVE_PACE,
): Response {
  const changes = new ChangeStream(session, scrub, pace);
  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        changes.start(controller);
        signal.addEventListener("abort", () => changes.close(), { once: true });
        if (signal.aborted) changes.close();
      },
      cancel: () => changes.close(),
    },
    { highWaterMark: 4 },
  );
  return new Response(body, { headers: { ...PRIVATE, "content-type": "text/event-stream; charset=utf-8" } });
}

class ChangeStream {
  readonly #session: LiveSession;
  readonly #scrub: (text: string) => string;
  readonly #pace: LivePace;
  readonly #encoder: TextEncoder = new TextEncoder();
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #timers: ReturnType<typeof setInterval>[] = [];
  #unwatch: (() => void) | undefined;
  #isLooking = false;
  #isChanged = false;
  #last = "";

  constructor(session: LiveSession, scrub: (text: string) => string, pace: LivePace) {
    this.#session = session;
    this.#scrub = scrub;
    this.#pace = pace;
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
    const { watch } = this.#session;
    this.#unwatch = watch?.(() => this.#changed());
    // Also one that is watched: what was kept of its requests is in another store.
    this.#timers.push(setInterval(() => this.#changed(), this.#pace.pollMs));
    this.#timers.push(setInterval(() => this.#send(": keep-alive\n\n"), this.#pace.keepAliveMs));
    this.#changed();
  }

  close(): void {
    const controller = this.#controller;
    if (controller === undefined) return;
    this.#controller = undefined;
    for (const timer of this.#timers) clearInterval(timer);
    this.#unwatch?.();
    try {
      controller.close();
    } catch {
      // Its reader has left.
    }
  }

  #changed(): void {
    this.#isChanged = true;
    if (!this.#isLooking) void this.#look();
  }

  /** Changes that come meanwhile are told together. */
  async #look(): Promise<void> {
    this.#isLooking = true;
    while (this.#isChanged && this.#controller !== undefined) {
      this.#isChanged = false;
      try {
        const open = await this.#session.open();
        if (open === undefined) {
          this.#send("event: gone\ndata: {}\n\n");
          this.close();
          break;
        }
        const data = this.#scrub(JSON.stringify(changeOf(open)));
        // A reader that is behind is told the next time.
        if (data !== this.#last && (this.#controller?.desiredSize ?? 0) > 0) {
          this.#last = data;
          this.#send(`event: changed\ndata: ${data}\n\n`);
        }
      } catch {
        // A store that fails now is looked at again.
      }
      await new Promise((resolve) => setTimeout(resolve, this.#pace.quietMs));
    }
    this.#isLooking = false;
  }

  #send(text: string): void {
    this.#controller?.enqueue(this.#encoder.encode(text));
  }
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
