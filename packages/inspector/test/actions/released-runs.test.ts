import { Agent, MemoryStore } from "@pollux/core";
import { hangs, say, ScriptedModel } from "@pollux/core/testing";
import { localInspector } from "@pollux/inspector";
import { expect, test } from "vitest";

test("runs that actions have started are left to other processes when the inspector ends", async () => {
  const store = new MemoryStore();
  const model = new ScriptedModel(say("Hello."), hangs("One"), say("One, two."));
  const agent = new Agent({ name: "helper", model });
  await agent.session({ id: "chat", store }).send("Hi.");
  const inspector = localInspector({ store, agents: { helper: agent }, allowActions: true });
  const sent = await inspector.handler(
    new Request(`http://127.0.0.1${inspector.path}api/sessions/chat/send`, {
      method: "POST",
      headers: { "content-type": "application/json", "sec-fetch-site": "same-origin" },
      body: JSON.stringify({ message: "Count.", agent: "helper" }),
    }),
  );
  expect(await sent.json()).toMatchObject({ done: "Sent." });
  await inspector.release();
  const other = agent.session({ id: "chat", store });
  expect(await other.state()).toMatchObject({ lastRun: "cut-off", resumable: true });
  expect((await other.resume()).text).toBe("One, two.");
});
