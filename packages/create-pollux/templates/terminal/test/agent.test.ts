import { endpoint } from "@pollux/core/wire";
import { calls, createEmulator, say, script } from "@pollux/emulator";
import { expect, test } from "vitest";
import { createAgent } from "../src/agent.ts";

test("the agent rolls the dice that it was asked for", async () => {
  // The emulator checks requests like the service does; the script is what the model says.
  const emulator = createEmulator({
    brain: script([calls({ name: "roll_dice", args: { dice: 3, sides: 6 } }), say("There you are.")]),
  });
  const server = await emulator.listen();
  try {
    const result = await createAgent(endpoint({ baseUrl: server.url })).run("Roll 3 dice.");

    expect(result.text).toBe("There you are.");
    expect(result.stopReason).toBe("finished");
    expect(result.toolCalls).toMatchObject([{ name: "roll_dice", input: { dice: 3, sides: 6 }, status: "completed" }]);
  } finally {
    await server.close();
  }
});
