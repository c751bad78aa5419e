import { MemoryStore } from "@pollux/core";
import { endpoint } from "@pollux/core/wire";
import { calls, createEmulator, say, script } from "@pollux/emulator";
import { expect, test } from "vitest";
import { createChats } from "../server/chats.ts";

test("a message is answered as a stream, and the conversation is stored", async () => {
  const emulator = createEmulator({
    brain: script([calls({ name: "roll_dice", args: { dice: 2, sides: 6 } }), say("There you are.")]),
  });
  const server = await emulator.listen();
  try {
    const chats = createChats(endpoint({ baseUrl: server.url }), new MemoryStore());
    const message = { id: "message-1", role: "user", parts: [{ type: "text", text: "Roll 2 dice." }] };
    const answer = await chats(
      new Request("http://localhost/api/chat", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ id: "chat-1", messages: [message] }),
      }),
    );
    expect(answer.headers.get("content-type")).toBe("text/event-stream");
    expect(await answer.text()).toContain("There you are.");

    const stored = await chats(new Request("http://localhost/api/chat/chat-1"));
    expect(await stored.json()).toMatchObject({
      messages: [
        { role: "user", parts: [{ type: "text", text: "Roll 2 dice." }] },
        { role: "assistant", parts: expect.arrayContaining([expect.objectContaining({ type: "tool-roll_dice" })]) },
      ],
    });
  } finally {
    await server.close();
  }
});

test("a page of another host is refused", async () => {
  const emulator = createEmulator();
  const server = await emulator.listen();
  try {
    const chats = createChats(endpoint({ baseUrl: server.url }), new MemoryStore());
    const answer = await chats(new Request("http://example.com/api/chat/chat-1"));
    expect(answer.status).toBe(401);
  } finally {
    await server.close();
  }
});
