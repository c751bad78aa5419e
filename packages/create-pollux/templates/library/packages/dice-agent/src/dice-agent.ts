import { Agent, type Endpoint } from "@pollux/core";
import { rollDice } from "./tools/roll-dice.ts";

const INSTRUCTIONS = "You are a game master who rolls the dice. Answer in plain text, briefly.";

export interface DiceAgentOptions {
  /** Where requests are sent: the service, or an emulator. */
  readonly endpoint: Endpoint;
  /** @defaultValue "gemini-flash-latest" */
  readonly model?: string;
}

/** A library reads no environment and opens no connection: the program that uses it decides. */
export function createDiceAgent({ endpoint, model = "gemini-flash-latest" }: DiceAgentOptions) {
  return new Agent({ model, endpoint, instructions: INSTRUCTIONS, tools: [rollDice] });
}
