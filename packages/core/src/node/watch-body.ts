import type { RecordedEnd } from "./recording-format.ts";

/**
 * The same answer, with every piece of its body shown to `onChunk` on its way to the reader. Nothing is read ahead and
 * nothing is kept back; what the reader leaves unread is not recorded.
 *
 * @param onEnd - Told once, when the body ends, fails or is cancelled.
 */
export function watchBody(
  response: Response,
  onChunk: (chunk: Uint8Array) => void,
  onEnd: (end: RecordedEnd, reason?: unknown) => void,
): Response {
  if (response.body === null) {
    onEnd("complete");
    return response;
  }
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) {
            onEnd("complete");
            controller.close();
          } else {
            onChunk(value);
            controller.enqueue(value);
          }
        } catch (error) {
          onEnd("failed", error);
          controller.error(error);
        }
      },
      async cancel(reason) {
        onEnd("cancelled");
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  const { status, statusText, headers, url, redirected, type } = response;
  const watched = new Response(body, { status, statusText, headers });
  // A response that is made says nothing of where it came from.
  Object.defineProperties(watched, { url: { value: url }, redirected: { value: redirected }, type: { value: type } });
  return watched;
}
