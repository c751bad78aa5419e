import { Agent } from "@pollux/core";
import { applyUpdate, type Conversation, conversationUpdates } from "@pollux/core/conversation";
import { call, dies, join, say, ScriptedModel } from "@pollux/core/testing";
import { type AgUiMessage, agUiResponse, toAgUiEvents } from "@pollux/web/ag-ui";
import { describe, expect, test } from "vitest";
import { lookUp, pay } from "../../../core/test/conversation/scripts.ts";
import { Client } from "./client.ts";
import { answersTo } from "../../../core/test/helpers/answers.ts";

/** A server that keeps nothing: what the client shows is in its request. */
function openServer(agent: Agent, abort?: AbortController): Client {
  const chat = agent.chat();
  return new Client(async ({ body }) => {
    const { threadId, runId, messages } = JSON.parse(body as string) as Body;
    const input = messages.at(-1)?.content as string;
    const run = chat.stream(input, { ...(abort && { signal: abort.signal }) });
    return agUiResponse(toAgUiEvents(run, { threadId, runId, before: messages, signal: abort?.signal }));
  });
}

interface Body {
  readonly threadId: string;
  readonly runId: string;
  readonly messages: readonly Extract<AgUiMessage, { role: "user" }>[];
}

function ask(client: Client, text: string): void {
  client.agent.addMessage({ id: `user-${client.agent.messages.length}`, role: "user", content: text });
}

describe("a run of a server that keeps nothing", () => {
  test("is added to what the client shows", async () => {
    const model = new ScriptedModel(
      join(say("Let me see. "), call("look_up", { key: "a" })),
      say("a!"),
      say("Welcome."),
    );
    const client = openServer(new Agent({ model, tools: [lookUp] }));
    ask(client, "Look.");
    expect(await client.run()).toMatchObject({ outcome: "success" });
    ask(client, "Thanks.");
    await client.run();
    expect(client.messages.map(({ role }) => role)).toEqual([
      "user",
      "assistant",
      "tool",
      "assistant",
      "user",
      "assistant",
    ]);
    expect(client.messages.map(({ id }) => id)).toEqual(expect.arrayContaining(["user-0", "user-4"]));
    expect(client.events.some(({ type }) => type === "MESSAGES_SNAPSHOT")).toBe(false);
  });

  test("takes back what broke off, and nothing of what the client shows", async () => {
    const model = new ScriptedModel(dies("It was "), say("It is."));
    const client = openServer(new Agent({ model, limits: { restarts: 1 } }));
    ask(client, "Tell.");
    await client.run();
    expect(client.messages).toMatchObject([
      { id: "user-0", content: "Tell." },
      { role: "assistant", content: "It is." },
    ]);
    expect(client.events.some((event) => event.type === "TEXT_MESSAGE_CONTENT" && event.delta === "It was ")).toBe(
      true,
    );
  });

  test("that fails ends with a text that is fit for anybody", async () => {
    const model = new ScriptedModel(dies(new Error("password=hunter2")));
    const client = openServer(new Agent({ model, limits: { restarts: 0 } }));
    ask(client, "Tell.");
    const { outcome, error } = await client.run();
    expect(outcome).toBe("error");
    expect(error?.message).not.toContain("hunter2");
  });

  test("that is aborted ends as cancelled", async () => {
    const abort = new AbortController();
    const model = new ScriptedModel(join(say("Slowly. "), call("look_up", { key: "a" })), say("Never said."));
    const client = openServer(new Agent({ model, tools: [lookUp] }), abort);
    ask(client, "Tell.");
    const end = await client.run({}, ({ type }) => {
      if (type === "TEXT_MESSAGE_CONTENT") abort.abort();
    });
    expect(end).toMatchObject({ outcome: "cancelled" });
  });
});

test("a run that goes on after an approval adds to the conversation that is shown", async () => {
  const model = new ScriptedModel(call("pay"), say("Paid."));
  const session = new Agent({ model, tools: [pay] }).session();
  let conversation: Conversation | undefined;
  for await (const update of conversationUpdates(session.stream("Pay."), { input: "Pay." }))
    conversation = applyUpdate(conversation, update);
  if (conversation === undefined) throw new Error("there is no conversation");
  const before = conversation;
  const client = new Client(async () => {
    const run = session.resumeStream(await answersTo(session, { approvals: { "call:1.0": true } }));
    return agUiResponse(toAgUiEvents(run, { threadId: "s", runId: "second", before }));
  });
  expect(await client.run()).toMatchObject({ outcome: "success" });
  expect(client.events.map(({ type }) => type)).not.toContain("TOOL_CALL_START");
  expect(client.messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "assistant"]);
  expect(client.messages[2]).toMatchObject({ content: "paid" });
});
