import { runTool } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { rollDice } from "../src/tools/roll-dice.ts";

test("rolls as many dice as asked for, and adds them up", async () => {
  const call = await runTool(rollDice, { dice: 50, sides: 4 });
  if (call.status !== "completed") throw new Error(`the call ${call.status}`);

  const { rolls, sum } = call.output;
  expect(rolls).toHaveLength(50);
  expect(rolls.every((roll) => [1, 2, 3, 4].includes(roll))).toBe(true);
  expect(sum).toBe(rolls.reduce((total, roll) => total + roll, 0));
});

test("tells the model what is wrong with its arguments", async () => {
  const call = await runTool(rollDice, { dice: 0 });
  expect(call).toMatchObject({ status: "failed", error: { message: expect.stringContaining("dice") } });
});
