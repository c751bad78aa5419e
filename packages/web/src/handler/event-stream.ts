/** How a stream is kept open and ended. */
export interface EventStreamOptions {
  readonly headers: { readonly [name: string]: string };
  /** A comment is sent before a stream has been silent for this long, in milliseconds; never with `Infinity`. @defaultValue 8_000 */
  readonly keepAliveMs?: number | undefined;
  /**
   * How long a reader may read nothing while there is something to read before the stream ends, in milliseconds.
   * @defaultValue 60_000
   */
  readonly stallTimeoutMs?: number | undefined;
  /** Ends the stream, as the reader's leaving does. @defaultValue nothing does */
  readonly signal?: AbortSignal | undefined;
  /** Called once, when nothing more is read from the pieces: at their end, or when the reader left. */
  readonly onClose: () => void;
}

/** Headers of every stream of events. */
export const EVENT_STREAM_HEADERS: { readonly [name: string]: string } = {
  "content-type": "text/event-stream",
  // Middleware that compresses would hold words back.
  "cache-control": "no-store, no-transform",
  connection: "keep-alive",
  "x-accel-buffering": "no",
};

/** One event as it is sent. */
export function writeEvent(event: object): string {
  return `data: ${JSON.stringify(event)}\n\n`;
}

/** Bun closes a connection that is silent for ten seconds, and common proxies do after thirty. */
const KEEP_ALIVE_MS = 8_000;

const STALL_TIMEOUT_MS = 60_000;

/** How often a stream checks whether its reader stalls, in milliseconds. */
const LOOK_MS = 4_000;

/**
 * A response that sends pieces of text as they come. They are taken one by one, as the reader takes them; nothing is
 * buffered beyond the piece that waits to be sent, and a reader that stalls too long ends the stream.
 */
export function streamResponse(
  pieces: AsyncIterator<string, void> | Iterator<string, void>,
  options: EventStreamOptions,
): Response {
  const { headers, keepAliveMs = KEEP_ALIVE_MS, stallTimeoutMs = STALL_TIMEOUT_MS, signal, onClose } = options;
  const encoder = new TextEncoder();
  // Twice in the time of silence, since a piece can have been sent right after a tick.
  const tickMs = Math.min(keepAliveMs / 2, stallTimeoutMs, LOOK_MS);
  let timer: ReturnType<typeof setInterval> | undefined;
  let isClosed = false;
  let silentMs = 0;
  let stalledMs = 0;

  const close = (): void => {
    if (isClosed) return;
    isClosed = true;
    clearInterval(timer);
    signal?.removeEventListener("abort", leave);
    onClose();
  };
  let fail = (_reason: unknown): void => {};
  const leave = (): void => fail(signal?.reason);

  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      fail = (reason) => {
        if (isClosed) return;
        close();
        // Later, so that a host can cancel the body first: otherwise it logs the error each time that a page is closed.
        setTimeout(() => controller.error(reason), 0);
      };
      timer = setInterval(() => {
        if ((controller.desiredSize ?? 0) <= 0) {
          // A reader that is behind has enough to read.
          silentMs = 0;
          stalledMs += tickMs;
          if (stalledMs >= stallTimeoutMs) fail(new DOMException("the reader takes nothing", "TimeoutError"));
          return;
        }
        // It may have taken a comment, after which nothing is pulled.
        stalledMs = 0;
        silentMs += tickMs;
        if (silentMs + tickMs <= keepAliveMs) return;
        silentMs = 0;
        controller.enqueue(encoder.encode(": keep-alive\n\n"));
      }, tickMs);
      signal?.addEventListener("abort", leave, { once: true });
      if (signal?.aborted === true) leave();
    },
    async pull(controller) {
      stalledMs = 0;
      let next: IteratorResult<string, void>;
      try {
        next = await pieces.next();
      } catch (error) {
        close();
        throw error;
      }
      if (isClosed) return;
      if (next.done === true) {
        close();
        controller.close();
      } else {
        silentMs = 0;
        controller.enqueue(encoder.encode(next.value));
      }
    },
    cancel: close,
  });
  return new Response(body, { headers });
}

/** Characters that are sent at once: few enough to wait in memory for a reader that stalls. */
const MAX_PIECE = 16_384;

/** The texts of some values, joined into larger pieces as they are read. A text that is larger by itself stays whole. */
export function* joinPieces<T>(values: Iterable<T>, write: (value: T) => string): Generator<string, void> {
  let joined = "";
  for (const value of values) {
    const piece = write(value);
    if (joined !== "" && joined.length + piece.length > MAX_PIECE) {
      yield joined;
      joined = "";
    }
    joined += piece;
  }
  if (joined !== "") yield joined;
}
