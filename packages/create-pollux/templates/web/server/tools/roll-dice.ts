import { defineTool } from "@pollux/core";
import { z } from "zod";

/** The model reads the description and the schema, and is sent what `run` returns. */
export const rollDice = defineTool({
  name: "roll_dice",
  description: "Rolls dice. Returns the number on each die and the sum.",
  input: z.object({
    dice: z.int().min(1).max(100).describe("How many dice to roll"),
    sides: z.int().min(2).max(1000).default(6).describe("Sides of each die"),
  }),
  effects: "none",
  reads: "trusted", // nobody else wrote what it returns
  run: ({ dice, sides }) => {
    const rolls = Array.from({ length: dice }, () => 1 + Math.floor(Math.random() * sides));
    return { rolls, sum: rolls.reduce((sum, roll) => sum + roll, 0) };
  },
});
