import { Agent, type Endpoint, googleSearch } from "@pollux/core";
import type { InferUIMessage } from "@pollux/web/ai-sdk";
import { bookTable } from "./tools/book-table.ts";
import { rollDice } from "./tools/roll-dice.ts";

const INSTRUCTIONS = "You are a helpful assistant in a chat. Answer in Markdown, briefly.";

/** @param endpoint - Where requests are sent: the service, or an emulator. */
export function createAgent(endpoint: Endpoint) {
  return new Agent({
    model: "gemini-flash-latest",
    endpoint,
    instructions: INSTRUCTIONS,
    settings: { includeThoughts: true },
    tools: [rollDice, bookTable, googleSearch()],
  });
}

/** A message of the page, with the agent's tools typed. */
export type ChatMessage = InferUIMessage<ReturnType<typeof createAgent>, 7>;
