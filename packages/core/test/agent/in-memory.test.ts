import { Agent, defineTool, MemoryStore, SessionRunningError } from "@pollux/core";
import { readConversation } from "@pollux/core/conversation";
import { call, fails, hangs, say, ScriptedModel } from "@pollux/core/testing";
import { expect, test } from "vitest";
import { z } from "zod";

test("each message goes on from the last, in either face, and usage adds up", async () => {
  const model = new ScriptedModel(say("Hello Ada."), say("Ada."), say("Bye."));
  const chat = new Agent({ model }).session();
  await chat.send("I am Ada.");
  const stream = chat.stream("Who am I?");
  let text = "";
  for await (const event of stream) if (event.type === "text-delta") text += event.delta;
  expect(text).toBe("Ada.");
  await chat.send("Bye.");
  expect((await chat.history()).map(({ role, parts }) => [role, parts[0]?.text])).toEqual([
    ["user", "I am Ada."],
    ["model", "Hello Ada."],
    ["user", "Who am I?"],
    ["model", "Ada."],
    ["user", "Bye."],
    ["model", "Bye."],
  ]);
  expect(model.requests[2]?.contents).toEqual((await chat.history()).slice(0, 5));
  expect((await chat.state()).usage).toMatchObject({ requests: 3, totalTokens: 45 });
});

test("a second message while the first is answered is refused, and nothing is lost", async () => {
  const chat = new Agent({ model: new ScriptedModel(say("One."), say("Two.")) }).session();
  const first = chat.send("1");
  await expect(chat.send("2")).rejects.toThrow(SessionRunningError);
  expect((await first).text).toBe("One.");
  expect((await chat.send("2")).text).toBe("Two.");
});

test("a run that is aborted or fails leaves a conversation that goes on", async () => {
  const abort = new AbortController();
  const wait = defineTool({
    name: "wait",
    description: "x",
    run: () => (abort.abort(new Error("enough")), new Promise(() => {})),
  });
  const model = new ScriptedModel(call("wait", {}, { id: "w1" }), fails(new Error("down")), say("Still here."));
  const chat = new Agent({ model, tools: [wait] }).session();
  await expect(chat.send("Wait.", { signal: abort.signal })).rejects.toThrow("enough");
  expect((await chat.history()).at(-1)?.parts[0]?.functionResponse).toMatchObject({
    id: "w1",
    name: "wait",
    response: { error: expect.stringContaining("cancelled") },
  });
  await expect(chat.send("Again?")).rejects.toThrow("down");
  expect((await chat.send("Hello?")).text).toBe("Still here.");
  expect(model.requests[2]?.contents.map(({ role }) => role)).toEqual(["user", "model", "user", "user", "user"]);
});

test("leaving a stream keeps the question and the answer so far, and frees the chat", async () => {
  const model = new ScriptedModel(hangs("Once"), say("Yes."));
  const chat = new Agent({ model }).session();
  for await (const event of chat.stream("Tell me.")) if (event.type === "text-delta") break;
  expect(await chat.history()).toEqual([
    { role: "user", parts: [{ text: "Tell me." }] },
    { role: "model", parts: [{ text: "Once" }] },
  ]);
  expect((await chat.send("Are you there?")).text).toBe("Yes.");
  expect(model.requests[1]?.contents.map(({ parts }) => parts[0]?.text)).toEqual([
    "Tell me.",
    "Once",
    "Are you there?",
  ]);
});

test("a message that keeps no interrupted answer drops its text", async () => {
  const model = new ScriptedModel(hangs("Once"), say("Yes."));
  const chat = new Agent({ model }).session();
  for await (const event of chat.stream("Tell me.")) if (event.type === "text-delta") break;
  await chat.send("Are you there?", { keepInterrupted: false });
  expect(model.requests[1]?.contents.map(({ parts }) => parts[0]?.text)).toEqual(["Tell me.", "Are you there?"]);
});

test("a history is part of the log from the first message on, and read no more after it", async () => {
  const store = new MemoryStore();
  const model = new ScriptedModel(say("Three."), say("Still three."));
  const agent = new Agent({ model });
  const history = [
    { role: "user", parts: [{ text: "I have 3 cats." }] },
    { role: "model", parts: [{ text: "Nice.", thoughtSignature: "c2ln" }] },
  ] as const;
  const first = agent.session({ id: "cats", store, history });
  expect(await first.history()).toEqual(history);
  expect(await store.load("cats")).toEqual([]);
  await first.send("How many?");
  await agent.session({ id: "cats", store, history }).send("And now?");
  expect(model.requests.map(({ contents }) => contents.length)).toEqual([3, 5]);
  expect(model.requests[1]?.contents.slice(0, 2)).toEqual(history);
  const { messages } = await readConversation(agent.session({ id: "cats", store }));
  expect(messages.map(({ role }) => role)).toEqual(["user", "model", "user", "model", "user", "model"]);
  expect(messages.slice(0, 2).map(({ id }) => id)).toEqual(["history:0", "history:1"]);
});

test("a chat begins with a history, and has typed output", async () => {
  const history = [
    { role: "user", parts: [{ text: "I have 3 cats." }] },
    { role: "model", parts: [{ text: "Nice." }] },
  ] as const;
  const chat = new Agent({ model: new ScriptedModel(say('{"cats":3}')) }).session({ history });
  const result = await chat.send("How many?", { output: z.object({ cats: z.number() }) });
  expect(result.stopReason === "finished" && result.output.cats).toBe(3);
  expect(await chat.history()).toHaveLength(4);
});
