/** How a stream is kept open and ended. */
export interface EventStreamOptions {
  readonly headers: { readonly [name: string]: string };
  /** A comment is sent when nothing else was for so long, in milliseconds. */
  readonly keepAliveMs: number;
  /** Ends the stream, as the reader's leaving does. */
  readonly signal: AbortSignal;
  /** Called once, when nothing more is read from the pieces: at their end, or when the reader left. */
  readonly onClose: () => void;
}

/**
 * A response that sends pieces of text as they come. They are taken one by one, as the reader takes them; nothing is
 * buffered beyond the piece that waits to be sent.
 */
export function streamResponse(pieces: AsyncIterator<string, void>, options: EventStreamOptions): Response {
  const { headers, keepAliveMs, signal, onClose } = options;
  const encoder = new TextEncoder();
  let timer: ReturnType<typeof setInterval> | undefined;
  let isClosed = false;
  /** Since the last look at the clock. */
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
        // A reader that is behind needs no sign of life, and would have to be remembered.
        if (!wasSent && (controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(": keep-alive\n\n"));
        wasSent = false;
      }, keepAliveMs);
      leave = () => {
        if (isClosed) return;
        close();
        controller.error(signal.reason);
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
