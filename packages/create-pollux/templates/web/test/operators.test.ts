/* if operator */
import { MemoryStore } from "@pollux/core";
import { endpoint } from "@pollux/core/wire";
import { calls, createEmulator, say, script } from "@pollux/emulator";
import { expect, test } from "vitest";
import { createAgent } from "../server/agent.ts";
import { createOperators } from "../server/operators.ts";

function ask(path: string, token: string, body?: object): Request {
  return new Request(`http://localhost/api/operator${path}`, {
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body && { method: "POST", body: JSON.stringify(body) }),
  });
}

test("a refund is paid once an operator has approved it, and the chat goes on", async () => {
  const emulator = createEmulator({
    brain: script([calls({ name: "refund", args: { order: "A-17", euros: 40 } }), say("You get 30 euros back.")]),
  });
  const server = await emulator.listen();
  try {
    const store = new MemoryStore();
    const agent = createAgent(endpoint({ baseUrl: server.url }));
    const session = agent.session({ id: "you/chat-1", owner: "you", store });
    await session.send("Refund 40 euros for order A-17.");

    const operators = createOperators(endpoint({ baseUrl: server.url }), store, "secret");
    const listed = await (await operators(ask("", "secret"))).json();
    expect(listed).toMatchObject({
      calls: [{ session: "you/chat-1", owner: "you", tool: "refund", approvedBy: "operator", editable: ["euros"] }],
    });
    const { token } = listed.calls[0];
    const answers = [{ token, args: { order: "A-17", euros: 30 } }];
    const answered = await operators(ask("/answers", "secret", { session: "you/chat-1", answers }));
    expect(await answered.json()).toEqual({ answered: 1 });
    await expect.poll(async () => (await session.state()).lastRun).toBe("finished");
  } finally {
    await server.close();
  }
});

test("nobody is an operator without the token", async () => {
  const emulator = createEmulator();
  const server = await emulator.listen();
  try {
    const operators = createOperators(endpoint({ baseUrl: server.url }), new MemoryStore(), "secret");
    expect((await operators(ask("", "another"))).status).toBe(401);
    expect((await operators(new Request("http://localhost/api/operator"))).status).toBe(401);
  } finally {
    await server.close();
  }
});
/* end */
