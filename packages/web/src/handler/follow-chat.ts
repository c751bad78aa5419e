import type { Limits } from "@pollux/core";
import type { Message } from "@pollux/core/conversation";
import { ChatStream } from "./chat-stream.ts";
import type { ChatCall, Serving } from "./serving.ts";
import { refusalOf } from "./start-run.ts";

/**
 * Streams the message that is being written, from its beginning. When none is: the protocol's own response, or 204.
 *
 * @param query - `ended`: streams the last message also when it has ended. `waiting`: one that waits for an answer, until it has continued.
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
    stream.follower.choose(({ messages }) => messages.find(({ id }) => id === last.id), waits);
    await stream.count();
    return stream.respond({});
  } catch (error) {
    stream.close();
    throw error;
  }
}

/**
 * Resumes the last run of a conversation that failed, was stopped, reached a limit or lost its process. Finished steps are not repeated.
 * A run that reached a limit may use as much again.
 *
 * @returns False when there is no such run.
 * @throws {HttpError} When the run is refused.
 */
export async function continueChat<Context>(
  serving: Serving<Context>,
  chat: string,
  call: ChatCall<Context>,
): Promise<boolean> {
  const stream = new ChatStream(serving, chat, call);
  try {
    const conversation = await stream.open();
    const last = conversation?.messages.at(-1);
    if (last === undefined || (conversation?.state !== "stopped" && conversation?.state !== "cut-off")) return false;
    stream.follower.choose(({ messages }) => messages.find(({ id }) => id === last.id));
    const run = await stream.start({ limits: moreThan(last) });
    await stream.untilBegun();
    const refusal = refusalOf(run.failure?.error);
    if (refusal !== undefined) throw refusal;
    return true;
  } finally {
    stream.leave();
  }
}

/** Room for a run that has used up one of its own limits: twice what it has used. Other limits stay unchanged. */
function moreThan({ limit, limitScope, parts, usage, cost }: Message): Limits | undefined {
  if (limitScope !== undefined) return undefined;
  const count = (type: "turn" | "tool-call"): number => parts.filter((part) => part.type === type).length;
  switch (limit) {
    case "turns":
      return { turns: 2 * count("turn") };
    case "toolCalls":
      return { toolCalls: 2 * count("tool-call") };
    case "inputTokens":
    case "totalTokens":
      return usage && { [limit]: 2 * usage[limit] };
    case "outputTokens":
      return usage && { outputTokens: 2 * (usage.outputTokens + usage.thoughtTokens) };
    case "cost":
      return cost === undefined ? undefined : { cost: 2 * cost };
    default:
      return undefined;
  }
}
