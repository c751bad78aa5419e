export { createDiceAgent, type DiceAgentOptions } from "./dice-agent.ts";
export { rollDice } from "./tools/roll-dice.ts";
