import { Agent, type Endpoint, googleSearch } from "@pollux/core";
import type { InferUIMessage } from "@pollux/web/ai-sdk";
import { bookTable } from "./tools/book-table.ts";
/* if operator */
import { refund } from "./tools/refund.ts";
/* end */
import { rollDice } from "./tools/roll-dice.ts";

export function createAgent(endpoint?: Endpoint) {
  return new Agent({
    model: "gemini-flash-latest",
    endpoint,
    instructions: "You are a helpful assistant in a chat. Answer in Markdown, briefly.",
    settings: { includeThoughts: true },
    tools: [rollDice, bookTable, /* if operator */ refund, /* end */ googleSearch()],
  });
}

/** A message of the page, with the agent's tools typed. */
export type ChatMessage = InferUIMessage<ReturnType<typeof createAgent>, 7>;
