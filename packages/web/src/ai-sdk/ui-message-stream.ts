import type { RunEvent } from "@pollux/core";
import { applyUpdate, type Conversation, conversationUpdates, type Message } from "@pollux/core/conversation";
import { streamResponse } from "../handler/event-stream.ts";
import type { UIMessageChunk } from "./chunks.ts";
import { changesOf } from "../added-text.ts";
import { type DataPart, tapData } from "../data-part.ts";
import { AiSdkEncoder, type AiSdkOptions } from "./encode-message.ts";

/** Headers that a client of the AI SDK expects of a stream. */
export const UI_MESSAGE_STREAM_HEADERS: { readonly [name: string]: string } = {
  "content-type": "text/event-stream",
  // Middleware that compresses would hold words back.
  "cache-control": "no-store, no-transform",
  connection: "keep-alive",
  "x-vercel-ai-ui-message-stream": "v1",
  "x-accel-buffering": "no",
};

/** What follows the last chunk. */
export const UI_MESSAGE_STREAM_END = "data: [DONE]\n\n";

/** A data part as a chunk. */
export function dataChunk({ type, id, data, transient }: DataPart): UIMessageChunk {
  return { type, ...(id !== undefined && { id }), data: data ?? null, ...(transient === true && { transient }) };
}

/** One chunk as it is sent. */
export function writeChunk(chunk: UIMessageChunk): string {
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

/** Options of {@link toUIMessageStream}. */
export interface UIMessageStreamOptions extends AiSdkOptions {
  /**
   * What the page shows already, for a run that goes on after it was answered: what follows is added to its last message.
   * @defaultValue an empty conversation
   */
  readonly conversation?: Conversation | undefined;
  /** The signal of the run: tells a run that was aborted from one that failed. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A run as a UI message stream of the AI SDK. Reading it runs the run. Canceling it ends the run with its next event; the signal of the run
 * ends it at once. What the run throws is its last chunk, as a text that is fit for anybody.
 *
 * It knows nothing but the run's events. For runs that go on without a reader, that can be resumed or stopped, use `chatHandler`.
 */
export function toUIMessageStream(
  run: AsyncIterable<RunEvent>,
  options: UIMessageStreamOptions = {},
): ReadableStream<UIMessageChunk> {
  const chunks = readChunks(run, options);
  return new ReadableStream<UIMessageChunk>({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    cancel() {
      // Takes effect when the event that is waited for has come.
      chunks.return().catch(() => {});
    },
  });
}

async function* readChunks(
  run: AsyncIterable<RunEvent>,
  { conversation: shown, signal, ...options }: UIMessageStreamOptions,
): AsyncGenerator<UIMessageChunk, void, void> {
  let conversation: Conversation | undefined;
  let encoder: AiSdkEncoder | undefined;
  const known = shown?.messages.at(-1);
  const data: DataPart[] = [];
  try {
    for await (const update of conversationUpdates(tapData(run, data), { conversation: shown, signal })) {
      conversation = applyUpdate(conversation, update);
      const message = conversation.messages.at(-1);
      if (message === undefined || message.role === "user" || message === known) continue;
      encoder ??= new AiSdkEncoder({ ...options, known: isContinued(known, message) ? known : undefined });
      yield* encoder.show(message, conversation, changesOf(update));
      yield* data.splice(0).map(dataChunk);
    }
  } catch (error) {
    if (encoder === undefined) yield* new AiSdkEncoder(options).fail(error);
  }
  if (encoder !== undefined && conversation !== undefined) yield* encoder.finish(conversation);
}

/** True when the page sent answers to a message's calls, and adds to it what comes next. */
function isContinued(known: Message | undefined, message: Message): boolean {
  return known?.id === message.id && known.state === "waiting";
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
    signal: new AbortController().signal,
    // An error of the stream is for whoever made it.
    onClose: () => void reader.cancel().catch(() => {}),
  });
}

/** Options of {@link uiMessageStreamResponse}. */
export interface UIMessageStreamResponseOptions {
  /** In addition to those of the protocol. */
  readonly headers?: { readonly [name: string]: string } | undefined;
  /** A comment is sent before the stream has been silent for so long, in milliseconds. @defaultValue 8_000 */
  readonly keepAliveMs?: number | undefined;
}

async function* writeAll(reader: ReadableStreamDefaultReader<UIMessageChunk>): AsyncGenerator<string, void, void> {
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return yield UI_MESSAGE_STREAM_END;
    yield writeChunk(value);
  }
}
