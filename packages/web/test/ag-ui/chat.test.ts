import type { Message as ClientMessage } from "@ag-ui/client";
import { Agent, defineTool, MemoryStore } from "@pollux/core";
import { call, calls, costs, dies, join, say, ScriptedModel, type ScriptLine, think } from "@pollux/core/testing";
import { askUser } from "@pollux/tools/ask-user";
import { todoList } from "@pollux/tools/todo";
import { chatHandler, type ChatHandlerOptions } from "@pollux/web";
import { agUi, type AgUiEvent } from "@pollux/web/ag-ui";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { SteppedModel } from "../handler/chat-page.ts";
import { Client } from "./client.ts";

const paid: number[] = [];

/** Asks before it is run. */
const pay = defineTool({
  name: "pay",
  editable: true,
  description: "Pays an invoice.",
  input: z.object({ euros: z.number() }),
  needsApproval: true,
  approvedBy: "user",
  run: ({ euros }) => {
    paid.push(euros);
    return { paid: euros };
  },
});

const fail = defineTool({
  name: "fail",
  description: "Fails.",
  run: () => {
    throw new Error("password=hunter2");
  },
});

const refund = defineTool({
  name: "refund",
  description: "Refunds an order.",
  needsApproval: true,
  approvedBy: "support",
  run: () => "refunded",
});

const tools = [pay, fail, refund, askUser()];

/** A client of a server, and the server's log. */
function openChat(model: ScriptedModel | SteppedModel, given: Partial<ChatHandlerOptions> = {}) {
  const store = new MemoryStore();
  const agent = given.agent ?? new Agent({ model, tools });
  const lines: object[] = [];
  const handler = chatHandler({
    store,
    clientTools: true,
    authorize: () => ({ owner: "ann" }),
    protocol: agUi(),
    logger: { error: (facts: object) => void lines.push(facts) },
    ...given,
    agent,
  });
  const ask = async (path: string, init: RequestInit = {}): Promise<Response> =>
    await handler(new Request(`http://localhost/api/chat${path}`, init));
  const client = new Client((init) => ask("", init), "c1");
  const post = (text: string): void =>
    client.agent.addMessage({ id: crypto.randomUUID(), role: "user", content: text });
  return { client, ask, post, lines };
}

function script(...lines: readonly ScriptLine[]): ScriptedModel {
  return new ScriptedModel(...lines);
}

function types(events: readonly AgUiEvent[]): readonly string[] {
  return events.map(({ type }) => type);
}

describe("a conversation", () => {
  test("goes on over several runs, of which each has the client's id", async () => {
    const chat = openChat(script(join(think("Hm."), say("It ", "rains.")), say("It shines.")));
    chat.post("Weather?");
    expect(await chat.client.run({ runId: "first" })).toMatchObject({ outcome: "success" });
    expect(chat.client.events[0]).toEqual({
      type: "RUN_STARTED",
      threadId: "c1",
      runId: "first",
      protocolVersion: "1.0",
    });
    expect(chat.client.events.at(-1)).toMatchObject({
      type: "RUN_FINISHED",
      runId: "first",
      usage: [{ provider: "google" }],
      metadata: { pollux: { stopReason: "finished" } },
    });
    chat.post("And tomorrow?");
    await chat.client.run();
    expect(
      chat.client.messages.map(({ role, content }: { role: string; content?: unknown }) => [role, content]),
    ).toEqual([
      ["user", "Weather?"],
      ["reasoning", "Hm."],
      ["assistant", "It rains."],
      ["user", "And tomorrow?"],
      ["assistant", "It shines."],
    ]);
  });

  test("has files of the user", async () => {
    const model = script(say("A cat."));
    const chat = openChat(model);
    const source = { type: "data", value: "aGk=", mimeType: "image/png" } as const;
    const content = [
      { type: "text", text: "What is it?" },
      { type: "image", source },
    ] as const;
    chat.client.agent.addMessage({ id: "m1", role: "user", content: [...content] });
    await chat.client.run();
    expect(model.requests[0]?.contents[0]?.parts).toEqual([
      { text: "What is it?" },
      { inlineData: { mimeType: "image/png", data: "aGk=" } },
    ]);
    expect(chat.client.messages[0]).toMatchObject({ role: "user", content });
  });

  test("shows the result of a tool that failed, and not why", async () => {
    const chat = openChat(script(call("fail"), say("Sorry.")));
    chat.post("Try.");
    await chat.client.run();
    expect(chat.client.messages).toContainEqual(
      expect.objectContaining({
        role: "tool",
        content: "The tool failed.",
        metadata: { pollux: { failure: "failed" } },
      }),
    );
    expect(JSON.stringify(chat.client.events)).not.toContain("hunter2");
  });

  test("ends with an error when the run fails, and goes on with the next message", async () => {
    const chat = openChat(script(dies(new Error("password=hunter2")), say("There.")), {
      agent: new Agent({ model: script(dies(new Error("password=hunter2")), say("There.")), limits: { restarts: 0 } }),
    });
    chat.post("One.");
    const { outcome, error } = await chat.client.run();
    expect(outcome).toBe("error");
    expect(error?.message).not.toContain("hunter2");
    chat.post("Two.");
    expect(await chat.client.run()).toMatchObject({ outcome: "success" });
    expect(chat.client.messages.at(-1)).toMatchObject({ content: "There." });
  });

  test("ends with an error when a limit is reached", async () => {
    const model = script(call("fail"), call("fail"), say("Done."));
    const chat = openChat(model, { agent: new Agent({ model, tools, limits: { turns: 1 } }) });
    chat.post("Try.");
    expect(await chat.client.run()).toEqual({
      outcome: "error",
      error: { message: "The run reached its limit (turns).", code: "limit" },
    });
  });

  test.each(["input", "output"])(
    "ends with an error when a guardrail stops the %s, and nothing of why",
    async (side) => {
      const guardrails = { [side]: [{ name: "topics", check: () => ({ stop: "password=hunter2" }) }] };
      const model = script(say("Well."));
      const chat = openChat(model, { agent: new Agent({ model, guardrails }) });
      chat.post("Try.");
      expect(await chat.client.run()).toEqual({
        outcome: "error",
        error: { message: "The message or the answer is not allowed here.", code: "guardrail" },
      });
      expect(JSON.stringify(chat.client.events)).not.toMatch(/hunter2|Well/);
    },
  );

  test("is stopped by another request, and keeps what was said", async () => {
    const model = new SteppedModel(say("It ", "goes ", "on."));
    const chat = openChat(model);
    chat.post("Talk.");
    model.say();
    let stopped: Promise<Response> | undefined;
    const end = await chat.client.run({}, ({ type }) => {
      if (type === "TEXT_MESSAGE_CONTENT") stopped ??= chat.ask("/c1/stop", { method: "POST" });
    });
    expect((await stopped)?.status).toBe(200);
    expect(end).toMatchObject({ outcome: "cancelled" });
    expect(chat.client.messages).toContainEqual(expect.objectContaining({ role: "assistant", content: "It " }));
  });

  test.each(["a word", "nothing"])(
    "continues when its client leaves after %s, until the next message",
    async (after) => {
      const model = new SteppedModel(say("It ", "goes ", "on."), say("Well."));
      const chat = openChat(model);
      chat.post("Talk.");
      if (after === "a word") model.say();
      const leavesAt = after === "a word" ? "TEXT_MESSAGE_CONTENT" : "RUN_STARTED";
      const left = await chat.client.run({}, ({ type }) => {
        if (type === leavesAt) chat.client.agent.abortRun();
      });
      expect(left).toMatchObject({ outcome: "error", error: { code: "abort" } });
      expect(await (await chat.ask("/c1")).json()).toMatchObject({ state: "running" });
      chat.post("Never mind.");
      const answered = chat.client.run();
      await expect.poll(() => model.requests.length).toBe(2);
      model.finish();
      expect(await answered).toMatchObject({ outcome: "success" });
      const { messages } = (await (await chat.ask("/c1")).json()) as { readonly messages: unknown };
      expect(messages).toEqual(chat.client.messages);
      expect(chat.client.messages.at(-1)).toMatchObject({ content: "Well." });
    },
  );

  test("is followed from its beginning by a client that connects while a run is going", async () => {
    const model = new SteppedModel(join(think("Hm."), say("It ", "rains.")));
    const chat = openChat(model);
    chat.post("Weather?");
    model.say(2);
    let following: Promise<unknown> | undefined;
    const late = new Client(async () => await chat.ask("/c1/stream"), "c1");
    await chat.client.run({}, ({ type }) => {
      if (type !== "TEXT_MESSAGE_CONTENT") return;
      following ??= late.run({}, (event) => {
        if (event.type === "TEXT_MESSAGE_CONTENT") model.finish();
      });
    });
    expect(await following).toMatchObject({ outcome: "success" });
    expect(late.messages).toEqual(chat.client.messages);
    expect(late.messages.at(-1)).toMatchObject({ content: "It rains." });
  });

  test("is the same to a client that comes later", async () => {
    const chat = openChat(script(join(say("One. "), call("pay", { euros: 5 })), say("Paid.")));
    chat.post("Pay.");
    const { interrupts } = await chat.client.run();
    const late = new Client(async () => await chat.ask("/c1/stream"), "c1");
    expect(await late.run()).toEqual({ outcome: "interrupt", interrupts });
    expect(late.messages).toEqual(chat.client.messages);
    const { messages } = (await (await chat.ask("/c1")).json()) as { readonly messages: unknown };
    expect(messages).toEqual(chat.client.messages);
  });
});

describe("an approval", () => {
  async function asked(...then: readonly ScriptLine[]) {
    paid.length = 0;
    const model = script(join(say("I pay. "), call("pay", { euros: 5 })), ...then);
    const chat = openChat(model);
    chat.post("Pay.");
    const { interrupts = [] } = await chat.client.run();
    const [interrupt] = interrupts;
    if (interrupt === undefined) throw new Error("nothing was asked");
    const started = chat.client.events.length;
    const answer = async (status: "resolved" | "cancelled", payload?: unknown) =>
      await chat.client.run({
        resume: [{ interruptId: interrupt.id, status, ...(payload !== undefined && { payload }) }],
      });
    return { ...chat, model, interrupt, answer, news: () => chat.client.events.slice(started) };
  }

  test("is asked for by an interrupt", async () => {
    const { interrupt, client } = await asked();
    const toolCallId = client.events.find((event) => event.type === "TOOL_CALL_START")?.toolCallId;
    expect(interrupt).toMatchObject({ reason: "tool_call", toolCallId, message: "May pay run?" });
    expect(paid).toEqual([]);
  });

  test("runs the call when it is given, and does not tell the call again", async () => {
    const { answer, news, client } = await asked(say("Paid."));
    expect(await answer("resolved", { approved: true })).toMatchObject({ outcome: "success" });
    expect(paid).toEqual([5]);
    expect(types(news())).not.toContain("TOOL_CALL_START");
    expect(news()).toContainEqual(expect.objectContaining({ type: "TOOL_CALL_RESULT", content: '{"paid":5}' }));
    expect(client.messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "assistant"]);
  });

  test("adds nothing to the tokens of the run before it", async () => {
    const usage = (tokens: number) =>
      costs({ promptTokenCount: tokens, candidatesTokenCount: 1, totalTokenCount: tokens + 1 });
    const chat = openChat(script(join(call("pay", { euros: 5 }), usage(10)), join(say("Paid."), usage(20))));
    chat.post("Pay.");
    const { interrupts = [] } = await chat.client.run();
    const payload = { approved: true };
    await chat.client.run({ resume: interrupts.map(({ id }) => ({ interruptId: id, status: "resolved", payload })) });
    const told = chat.client.events.flatMap((event) => (event.type === "RUN_FINISHED" ? (event.usage ?? []) : []));
    expect(told).toMatchObject([
      { inputTokens: 10, outputTokens: 1, totalTokens: 11 },
      { inputTokens: 20, outputTokens: 1, totalTokens: 21 },
    ]);
  });

  test("that somebody else decides is no interrupt: the client is told, sends a message, and withdraws", async () => {
    const model = script(call("refund"), say("Well."));
    const chat = openChat(model);
    chat.post("Refund.");
    expect(await chat.client.run()).toMatchObject({ outcome: "success" });
    expect(chat.client.events.at(-1)).toMatchObject({ type: "RUN_FINISHED", outcome: { type: "success" } });
    expect(chat.client.agent.pendingInterrupts).toEqual([]);
    const waiting = {
      activityType: "pollux.waiting",
      content: { calls: [{ toolName: "refund", approvedBy: "support" }] },
    };
    expect(chat.client.messages.at(-1)).toMatchObject(waiting);
    chat.post("Please hurry.");
    expect(await chat.client.run()).toMatchObject({ outcome: "success", pendingToolCallIds: [] });
    const queued = { content: "Please hurry.", metadata: { pollux: { queued: true, waitsFor: ["support"] } } };
    expect(chat.client.messages.slice(-2)).toMatchObject([waiting, queued]);
    expect(await (await chat.ask("/c1/withdraw", { method: "POST" })).json()).toEqual({ withdrawn: true });
    await expect.poll(async () => await (await chat.ask("/c1")).text()).toContain("Well.");
    expect(model.requests[1]?.contents.at(-1)).toEqual({ role: "user", parts: [{ text: "Please hurry." }] });
  });

  test("is refused with a reason for the model", async () => {
    const { answer, model, client } = await asked(say("All right."));
    await answer("resolved", { approved: false, reason: "too much" });
    expect(paid).toEqual([]);
    expect(JSON.stringify(model.requests.at(-1)?.contents.at(-1))).toContain("too much");
    expect(client.messages).toContainEqual(
      expect.objectContaining({ role: "tool", metadata: { pollux: { failure: "denied" } } }),
    );
  });

  test("is refused when the interrupt is cancelled", async () => {
    const { answer } = await asked(say("All right."));
    expect(await answer("cancelled")).toMatchObject({ outcome: "success" });
    expect(paid).toEqual([]);
  });

  test("runs the call with the arguments that a person has changed, and shows those", async () => {
    const { answer, client, ask } = await asked(say("Paid less."));
    expect(await answer("resolved", { approved: true, editedArgs: { euros: 3 } })).toMatchObject({
      outcome: "success",
    });
    expect(paid).toEqual([3]);
    expect(client.messages.find(({ role }) => role === "assistant")).toMatchObject({
      toolCalls: [{ function: { name: "pay", arguments: '{"euros":3}' } }],
    });
    const { messages } = (await (await ask("/c1")).json()) as { readonly messages: unknown };
    expect(client.messages).toEqual(messages);
  });

  test("with arguments that the tool does not accept is refused, and asked for once more", async () => {
    const { answer, client, interrupt } = await asked(say("Paid."));
    await expect(answer("resolved", { approved: true, editedArgs: { euros: "three" } })).rejects.toThrow(
      "do not match its schema",
    );
    client.agent.pendingInterrupts = [interrupt];
    expect(await answer("resolved", { approved: true })).toMatchObject({ outcome: "success" });
    expect(paid).toEqual([5]);
  });

  test("that was given already is not given twice", async () => {
    const { answer, client, interrupt } = await asked(say("Paid."), say("No."));
    await answer("resolved", { approved: true });
    // The first response was lost.
    client.agent.pendingInterrupts = [interrupt];
    await answer("resolved", { approved: true }).catch(() => {});
    expect(paid).toEqual([5]);
  });
});

test("a question to the user is an interrupt, and its payload is what the model reads", async () => {
  const model = script(call("ask_user", { question: "Which color?" }), say("Blue it is."));
  const chat = openChat(model);
  chat.post("Paint.");
  const { outcome, interrupts = [] } = await chat.client.run();
  expect(outcome).toBe("interrupt");
  expect(interrupts).toMatchObject([{ reason: "input_required", message: "Which color?" }]);
  const resume = interrupts.map(({ id }) => ({
    interruptId: id,
    status: "resolved" as const,
    payload: { answer: "Blue" },
  }));
  expect(await chat.client.run({ resume })).toMatchObject({ outcome: "success" });
  expect(model.requests.at(-1)?.contents.at(-1)?.parts[0]?.functionResponse?.response).toEqual({
    output: { answer: "Blue" },
  });
});

describe("a tool of the client", () => {
  const position = {
    name: "get_position",
    description: "Where the user is.",
    parameters: { type: "object", properties: { exact: { type: "boolean" } } },
  };

  test("is executed by the client, whose result the model reads", async () => {
    const model = script(call("get_position", { exact: true }), say("Oslo."));
    const chat = openChat(model);
    chat.post("Where am I?");
    const { outcome, pendingToolCallIds = [] } = await chat.client.run({ tools: [position] });
    expect(outcome).toBe("success");
    const [toolCallId] = pendingToolCallIds;
    if (toolCallId === undefined) throw new Error("nothing is left to the client");
    const result: ClientMessage = { id: "own", role: "tool", toolCallId, content: '{"lat":59.9}' };
    chat.client.agent.addMessage(result);
    expect(await chat.client.run({ tools: [position] })).toMatchObject({ outcome: "success", pendingToolCallIds: [] });
    expect(model.requests.at(-1)?.contents.at(-1)?.parts[0]?.functionResponse?.response).toEqual({
      output: { lat: 59.9 },
    });
    expect(chat.client.messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "assistant"]);
  });

  test("that failed there is told to the model", async () => {
    const model = script(call("get_position"), say("Then not."));
    const chat = openChat(model);
    chat.post("Where am I?");
    const { pendingToolCallIds: [toolCallId = ""] = [] } = await chat.client.run({ tools: [position] });
    chat.client.agent.addMessage({ id: "own", role: "tool", toolCallId, content: "", error: "not allowed" });
    await chat.client.run({ tools: [position] });
    expect(JSON.stringify(model.requests.at(-1)?.contents.at(-1))).toContain("not allowed");
  });

  test("with the name of one of the agent's is refused, and nothing is stored", async () => {
    const chat = openChat(script());
    const messages = [{ id: "m", role: "user", content: "Pay." }];
    const response = await chat.ask("", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ threadId: "c1", messages, tools: [{ name: "pay", description: "Mine." }] }),
    });
    const message = 'two tools are named "pay": rename one of them';
    expect([response.status, await response.json()]).toEqual([400, { error: { code: "bad_request", message } }]);
    expect((await chat.ask("/c1")).status).toBe(404);
    expect(chat.lines).toEqual([]);
  });
});

test("the to-do list is part of the shared state, and leaves the rest of it alone", async () => {
  const items = [{ text: "Buy paint" }, { text: "Paint" }];
  const model = script(
    call("set_todos", { items }),
    call("update_todo", { id: "1", status: "done" }),
    say("Half done."),
  );
  const chat = openChat(model, { agent: new Agent({ model, tools: [...todoList().tools] }) });
  chat.client.agent.setState({ theme: "dark" });
  chat.post("Paint the room.");
  await chat.client.run();
  expect(chat.client.agent.state).toEqual({
    theme: "dark",
    todos: [
      { id: "1", text: "Buy paint", status: "done" },
      { id: "2", text: "Paint", status: "open" },
    ],
  });
});

test("a nested agent is shown with its answers and without its task", async () => {
  const inner = new Agent({
    name: "researcher",
    model: script(join(say("Look: "), call("fail")), say("Found.")),
    tools,
  });
  const model = script(
    calls({ name: "researcher", args: { task: "Find." } }, { name: "researcher", args: { task: "Find." } }),
    say("They found it."),
  );
  const agent = new Agent({ model, tools: [inner.asTool({ description: "Finds things." })] });
  const chat = openChat(model, { agent });
  chat.post("Find.");
  await chat.client.run();
  const events = chat.client.events.filter(({ type }) => type.startsWith("SUBAGENT_"));
  const started = events.filter((event) => event.type === "SUBAGENT_STARTED");
  expect(started).toMatchObject([{ name: "researcher" }, { name: "researcher" }]);
  expect(events.filter((event) => event.type !== "SUBAGENT_STARTED").map(({ type }) => type)).toHaveLength(2);
  const reports = chat.client.events.flatMap((event) =>
    event.type === "CUSTOM" && event.name === "pollux.tool-progress" ? [event.value] : [],
  );
  expect(reports.length).toBeGreaterThan(0);
  for (const { progress } of reports)
    for (const name of Object.keys(progress as object)) expect(["type", "turn", "delta"]).toContain(name);
  expect(JSON.stringify(reports)).not.toContain("hunter2");
});

describe("what the page and the application tell each other", () => {
  const weather = defineTool({
    name: "weather",
    description: "The weather.",
    run: async (_input, context) => {
      await context.progress({ type: "data-status", data: "looking", transient: true });
      await context.progress({ type: "data-map", id: "map", data: { zoom: 1 } });
      return "sunny";
    },
  });
  const custom = (events: readonly AgUiEvent[]): readonly unknown[] =>
    events.flatMap((event) => (event.type === "CUSTOM" ? [[event.name, event.value]] : []));

  test("data parts are CUSTOM events, and those that are stored come again", async () => {
    const agent = new Agent({ model: script(call("weather"), say("Sunny.")), tools: [weather] });
    const { client, post, ask } = openChat(script(), { agent });
    post("How is it?");
    await client.run();
    const map = ["data-map", { id: "map", data: { zoom: 1 } }];
    // In whatever order they were seen.
    expect(custom(client.events)).toHaveLength(2);
    expect(custom(client.events)).toEqual(expect.arrayContaining([["data-status", { data: "looking" }], map]));
    const replayed = await (await ask("/c1/stream")).text();
    const events = replayed.split("\n\n").filter(Boolean);
    expect(custom(events.map((event) => JSON.parse(event.slice("data: ".length)) as AgUiEvent))).toEqual([map]);
  });

  test("a run has the options that its forwardedProps pick, and an error is JSON with its code", async () => {
    const model = script(say("Hi."));
    const perRun: ChatHandlerOptions["perRun"] = {
      body: z.strictObject({ tone: z.enum(["dry", "kind"]) }),
      // As the schema says.
      options: ({ body }) => ({ instructions: `Be ${(body as { readonly tone: string }).tone}.` }),
    };
    const { client, post } = openChat(model, { perRun });
    post("Hello");
    await expect(client.agent.runAgent({ forwardedProps: { tone: "rude" } })).rejects.toMatchObject({
      status: 400,
      payload: { error: { code: "bad_request", message: expect.stringMatching(/^The body of the request: tone: /) } },
    });
    await client.agent.runAgent({ forwardedProps: { tone: "dry" } });
    expect(model.requests[0]?.instructions).toContain("Be dry.");
  });

  test("an interrupt is answered by a client that adds a result for its call, as CopilotKit does", async () => {
    paid.length = 0;
    const { client, post } = openChat(script(call("pay", { euros: 5 }), say("Paid.")));
    post("Pay.");
    const { interrupts = [] } = await client.run();
    const [interrupt] = interrupts;
    client.agent.addMessage({
      id: crypto.randomUUID(),
      role: "tool",
      toolCallId: interrupt?.toolCallId ?? "",
      content: JSON.stringify({ approved: true }),
    });
    const payload = { approved: true };
    const resume = [{ interruptId: interrupt?.id ?? "", status: "resolved" as const, payload }];
    expect(await client.run({ resume })).toMatchObject({ outcome: "success" });
    expect(paid).toEqual([5]);
    expect(client.agent.messages.filter(({ role }) => role === "tool")).toMatchObject([
      { content: JSON.stringify({ paid: 5 }) },
    ]);
  });
});
