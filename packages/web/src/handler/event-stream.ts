/** How a stream is kept open and ended. */
export interface EventStreamOptions {
  readonly headers: { readonly [name: string]: string };
  /** A comment is sent before a stream has been silent for so long, in milliseconds. @defaultValue 8_000 */
  readonly keepAliveMs?: number | undefined;
  /** Ends the stream, as the reader's leaving does. */
  readonly signal: AbortSignal;
  /** Called once, when nothing more is read from the pieces: at their end, or when the reader left. */
  readonly onClose: () => void;
}

/** Bun closes a connection that is silent for ten seconds, and common proxies do after thirty. */
const KEEP_ALIVE_MS = 8_000;

/**
 * A response that sends pieces of text as they come. They are taken one by one, as the reader takes them; nothing is
 * buffered beyond the piece that waits to be sent.
 */
export function streamResponse(pieces: AsyncIterator<string, void>, options: EventStreamOptions): Response {
  const { headers, keepAliveMs = KEEP_ALIVE_MS, signal, onClose } = options;
  const encoder = new TextEncoder();
  let timer: ReturnType<typeof setInterval> | undefined;
  let isClosed = false;
  /** Since the last tick. */
  let wasSent = false;
  let leave = (): void => {};

  const close = (): void => {
    if (isClosed) return;
    isClosed = true;
    clearInterval(timer);
    signal.removeEventListener("abort", leave);
    onClose();
  };

  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      timer = setInterval(() => {
        // A reader that is behind has enough to read.
        const isSilent = !wasSent && (controller.desiredSize ?? 0) > 0;
        if (isSilent) controller.enqueue(encoder.encode(": keep-alive\n\n"));
        wasSent = isSilent;
        // Twice in that time, since a piece can have been sent right after a tick.
      }, keepAliveMs / 2);
      leave = () => {
        if (isClosed) return;
        close();
        // A host that cancels the body by now would log the error each time that a page is closed.
        setTimeout(() => controller.error(signal.reason), 0);
      };
      signal.addEventListener("abort", leave, { once: true });
      if (signal.aborted) leave();
    },
    async pull(controller) {
      const next = await pieces.next().catch((error: unknown) => {
        close();
        throw error;
      });
      if (isClosed) return;
      if (next.done === true) {
        close();
        controller.close();
      } else {
        wasSent = true;
        controller.enqueue(encoder.encode(next.value));
      }
    },
    cancel: close,
  });
  return new Response(body, { headers });
}

/** Characters that are sent at once: few enough to wait in memory for a reader that stalls. */
const MAX_PIECE = 65_536;

/** The texts of some values, joined to larger pieces as they are read. A text that is larger by itself stays whole. */
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
