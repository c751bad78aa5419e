import { MemoryStore } from "@pollux/core";
import { endpoint } from "@pollux/core/wire";
import { calls, createEmulator, say, script } from "@pollux/emulator";
import { expect, test } from "vitest";
import { createAgent } from "../server/agent.ts";

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

test("a table is booked once the person has approved it, for as many people as the approval says", async () => {
  const booking = { restaurant: "Luigi’s", people: 4 };
  const emulator = createEmulator({
    brain: script([calls({ name: "book_table", args: booking }), say("Enjoy your meal.")]),
  });
  const server = await emulator.listen();
  try {
    const session = createAgent(endpoint({ baseUrl: server.url })).session({ id: "chat-1", store: new MemoryStore() });
    const asked = await session.send("Book a table for 4 people at “Luigi’s”.");
    if (asked.stopReason !== "needs-approval") throw new Error(`the run ended with ${asked.stopReason}`);
    expect(asked.pending).toMatchObject([{ call: { name: "book_table", args: booking }, approvedBy: "user" }]);

    const token = asked.pending[0]?.token ?? "";
    const result = await session.resume({ approvals: { [token]: { args: { ...booking, people: 5 } } } });
    expect(result.text).toBe("Enjoy your meal.");
    expect(result.toolCalls).toMatchObject([{ status: "completed", output: "A table for 5 is booked at Luigi’s." }]);
  } finally {
    await server.close();
  }
});
