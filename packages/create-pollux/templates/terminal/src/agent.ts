import { Agent, type Endpoint } from "@pollux/core";
import { rollDice } from "./tools/roll-dice.ts";

const INSTRUCTIONS = "You are a helpful assistant in a terminal. Answer in plain text, briefly.";

/** @param endpoint - Where requests are sent: the service, or an emulator. By default what the environment names. */
export function createAgent(endpoint?: Endpoint) {
  return new Agent({
    model: "gemini-flash-latest",
    endpoint,
    instructions: INSTRUCTIONS,
    tools: [rollDice],
  });
}
