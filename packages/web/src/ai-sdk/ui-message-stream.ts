import type { RunEvent } from "@pollux/core";
import type { Conversation } from "@pollux/core/conversation";
import type { DataPart } from "../data-part.ts";
import { encodeRun } from "../encode-run.ts";
import { EVENT_STREAM_HEADERS, streamResponse, writeEvent } from "../handler/event-stream.ts";
import { defined } from "../json.ts";
import type { UIMessageChunk } from "./chunks.ts";
import { AiSdkEncoder, type AiSdkOptions } from "./encode-message.ts";

/** Headers that a client of the AI SDK expects of a stream. */
export const UI_MESSAGE_STREAM_HEADERS: { readonly [name: string]: string } = {
  ...EVENT_STREAM_HEADERS,
  "x-vercel-ai-ui-message-stream": "v1",
};

/** What follows the last chunk. */
export const UI_MESSAGE_STREAM_END = "data: [DONE]\n\n";

/** A data part as a chunk. */
export function dataChunk({ type, id, data, transient }: DataPart): UIMessageChunk {
  return { type, ...defined({ id }), data: data ?? null, ...(transient === true && { transient }) };
}

/** Options of {@link toUIMessageStream}. */
export interface UIMessageStreamOptions extends AiSdkOptions {
  /**
   * What the page already shows, for a run that continues after an answer: new parts are added to its last message.
   * @defaultValue an empty conversation
   */
  readonly conversation?: Conversation | undefined;
  /** The signal of the run: tells a run that was aborted from one that failed. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A run as a UI message stream of the AI SDK. Reading it runs the run. Canceling it ends the run with its next event; the signal of the run
 * ends it at once. An error of the run becomes its last chunk, with a text that is safe to show to anyone.
 *
 * It only sees the run's events. For runs that continue without a reader, or that clients can resume or stop, use
 * `chatHandler`.
 */
export function toUIMessageStream(
  run: AsyncIterable<RunEvent>,
  options: UIMessageStreamOptions = {},
): ReadableStream<UIMessageChunk> {
  const { conversation, signal, ...encoding } = options;
  const chunks = encodeRun<UIMessageChunk>(
    run,
    { conversation, signal },
    {
      // The page adds to its last message when it has sent answers to its calls.
      encoder: (known) => new AiSdkEncoder({ ...encoding, known: known?.state === "waiting" ? known : undefined }),
      data: dataChunk,
    },
  );
  return new ReadableStream<UIMessageChunk>({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    cancel() {
      // Takes effect with the next event.
      chunks.return().catch(() => {});
    },
  });
}

/** A UI message stream as the response to a request of `useChat`. */
export function uiMessageStreamResponse(
  stream: ReadableStream<UIMessageChunk>,
  { headers = {}, keepAliveMs }: UIMessageStreamResponseOptions = {},
): Response {
  const reader = stream.getReader();
  return streamResponse(writeAll(reader), {
    headers: { ...UI_MESSAGE_STREAM_HEADERS, ...headers },
    keepAliveMs,
    // The creator of the stream handles its errors.
    onClose: () => void reader.cancel().catch(() => {}),
  });
}

/** Options of {@link uiMessageStreamResponse}. */
export interface UIMessageStreamResponseOptions {
  /** In addition to the protocol's. */
  readonly headers?: { readonly [name: string]: string } | undefined;
  /** A comment is sent before the stream has been silent for this long, in milliseconds. @defaultValue 8_000 */
  readonly keepAliveMs?: number | undefined;
}

async function* writeAll(reader: ReadableStreamDefaultReader<UIMessageChunk>): AsyncGenerator<string, void, void> {
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return yield UI_MESSAGE_STREAM_END;
    yield writeEvent(value);
  }
}
