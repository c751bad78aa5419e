import { ChatStream } from "./chat-stream.ts";
import type { ChatCall, Serving } from "./serving.ts";

/**
 * Streams the message that is being written, from its beginning. When none is: what the protocol has for that, or 204.
 *
 * @param query - `ended`: streams the last message also when it has ended. `waiting`: when it waits for an answer, until it has gone on.
 */
export async function followChat<Context>(
  serving: Serving<Context>,
  chat: string,
  call: ChatCall<Context>,
  query: URLSearchParams,
): Promise<Response> {
  const stream = new ChatStream(serving, chat, call);
  try {
    const conversation = await stream.open();
    const last = conversation?.messages.findLast(({ role }) => role === "model");
    const { resumeCutOff = true, protocol } = serving.options;
    const goesOn = conversation?.state === "running" || (conversation?.state === "cut-off" && resumeCutOff);
    const waits = query.has("waiting") && conversation?.state === "waiting";
    const isIdle = conversation !== undefined && protocol.idle?.(conversation) !== undefined;
    const isEnded = query.has("ended") && !isIdle && last === conversation?.messages.at(-1);
    if (last === undefined || !(goesOn || waits || isEnded)) return stream.respondIdle(conversation);
    stream.choose(({ messages }) => messages.find(({ id }) => id === last.id), waits);
    await stream.count();
    return stream.respond({});
  } catch (error) {
    stream.close();
    throw error;
  }
}
