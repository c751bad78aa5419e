import type { RunEvent } from "@pollux/core";
import {
  applyUpdate,
  type Conversation,
  conversationUpdates,
  type ConversationUpdatesOptions,
  type Message,
} from "@pollux/core/conversation";
import { changesOf } from "./added-text.ts";
import { type DataPart, isDataPart } from "./data-part.ts";
import type { MessageEncoder } from "./chat-protocol.ts";

/** Makes the chunks of a protocol. */
export interface RunEncoding<Chunk> {
  /** @param known - The message as it was before the run, which adds to it. */
  readonly encoder: (known?: Message) => MessageEncoder<Chunk>;
  readonly data: (part: DataPart) => Chunk;
}

/** A run in chunks, for a server that knows nothing but its events. An error of the run becomes the last chunk. */
export async function* encodeRun<Chunk>(
  run: AsyncIterable<RunEvent>,
  options: ConversationUpdatesOptions,
  { encoder: open, data: write }: RunEncoding<Chunk>,
): AsyncGenerator<Chunk, void, void> {
  const known = options.conversation?.messages.at(-1);
  const data: DataPart[] = [];
  let conversation: Conversation | undefined;
  let encoder: MessageEncoder<Chunk> | undefined;
  try {
    for await (const update of conversationUpdates(tapData(run, data), options)) {
      conversation = applyUpdate(conversation, update);
      const message = conversation.messages.at(-1);
      if (message === undefined || message.role === "user" || message === known) continue;
      encoder ??= open(known?.id === message.id ? known : undefined);
      yield* encoder.show(message, conversation, changesOf(update));
      yield* data.splice(0).map(write);
    }
  } catch (error) {
    if (encoder === undefined) yield* open().fail(error);
  }
  if (encoder !== undefined && conversation !== undefined) yield* encoder.finish(conversation);
}

/** A run whose data parts are added to a list. */
async function* tapData(run: AsyncIterable<RunEvent>, data: DataPart[]): AsyncGenerator<RunEvent, void, void> {
  for await (const event of run) {
    if (event.type === "tool-progress" && isDataPart(event.progress)) data.push(event.progress);
    yield event;
  }
}
