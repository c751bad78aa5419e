import { Agent, type Endpoint, googleSearch } from "@pollux/core";
import { calculator } from "@pollux/tools/calculator";
import type { InferUIMessage } from "@pollux/web/ai-sdk";
import type { MediaFolder } from "./media-folder.ts";
import { placeOrder } from "./tools/order.ts";
import { drawPicture } from "./tools/picture.ts";
import { readAloud } from "./tools/read-aloud.ts";
import { getWeather } from "./tools/weather.ts";

const INSTRUCTIONS = `You are a helpful assistant in a chat. Answer in Markdown, briefly.
Call tools in parallel where you can. Search the web for anything recent.
If the user refuses a call and says what should be different, call the tool again with that change.`;

export interface ChatAgentOptions {
  readonly model: string;
  readonly endpoint: Endpoint;
  readonly pictures: MediaFolder;
  readonly sounds: MediaFolder;
}

/** The agent that the page talks to. */
export function createChatAgent({ model, endpoint, pictures, sounds }: ChatAgentOptions) {
  return new Agent({
    model,
    endpoint,
    instructions: INSTRUCTIONS,
    settings: { includeThoughts: true },
    tools: [
      getWeather,
      calculator(),
      placeOrder,
      drawPicture({ endpoint, pictures }),
      readAloud({ endpoint, sounds }),
      googleSearch(),
    ],
  });
}

/** A message, with the agent's tools typed. Types only: none of the server gets into the page. */
export type ChatMessage = InferUIMessage<ReturnType<typeof createChatAgent>, 7>;
