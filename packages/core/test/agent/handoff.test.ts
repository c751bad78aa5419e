import {
  Agent,
  type AgentOptions,
  type Content,
  defineTool,
  finished,
  handoff,
  type HandoffOptions,
  MemoryStore,
  type RunEvent,
  type RunResult,
} from "@pollux/core";
import { ConfigurationError } from "@pollux/core/errors";
import { assertGrammar, call, calls, collect, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { faces } from "../helpers/faces.ts";
import { SESSION_FACES } from "../session/session-faces.ts";

const price = defineTool({ name: "price", description: "x", run: () => 12 });

function agent(name: string, lines: readonly ScriptLine[], options: Partial<AgentOptions> = {}) {
  const model = ScriptedModel.with({ id: `gemini-3-${name}` }, ...lines);
  const made: Agent = new Agent({ ...options, name, model, instructions: `You are ${name}.` });
  return { model, agent: made };
}

const kindsOf = (events: readonly RunEvent[]): string[] =>
  events.map((event) => (event.type === "handoff" ? `${event.from} -> ${event.to}` : event.type));

describe.each(faces)("a handoff, read by %s", (_face, face) => {
  test("another agent answers in the same message, with its own instructions, tools and model", async () => {
    const billing = agent("billing", [call("price"), say("It is 12 euros.")], { tools: [price] });
    const desk = agent("desk", [call("transfer_to_billing")], { tools: [handoff(billing.agent)] });
    const result = await face(desk.agent, "What do I owe?");
    expect(result).toMatchObject({ stopReason: "finished", text: "It is 12 euros.", agent: "billing", turns: 3 });
    const [first] = billing.model.requests;
    expect(first?.instructions).toBe("You are billing.");
    expect(first?.functions.map(({ name }) => name)).toEqual(["price"]);
    // Nothing is said in the person's name.
    expect(first?.contents).toMatchObject([
      { role: "user", parts: [{ text: "What do I owe?" }] },
      { role: "model", parts: [{ functionCall: { name: "transfer_to_billing", args: {} } }] },
      {
        role: "user",
        parts: [
          {
            functionResponse: {
              name: "transfer_to_billing",
              response: { output: "billing has taken over the conversation" },
            },
          },
        ],
      },
    ]);
    desk.model.assertSpent();
  });

  test("the other calls of its turn are answered, and a second handoff is not run", async () => {
    const billing = agent("billing", [say("Here.")]);
    const sales = agent("sales", []);
    const desk = agent("desk", [calls("price", "transfer_to_billing", "transfer_to_sales")], {
      tools: [price, handoff(billing.agent), handoff(sales.agent)],
    });
    const result = await face(desk.agent, "Go.");
    expect(result.toolCalls.map(({ name, status }) => `${name} ${status}`)).toEqual([
      "price completed",
      "transfer_to_billing completed",
      "transfer_to_sales failed",
    ]);
    expect(result.agent).toBe("billing");
    expect(JSON.stringify(billing.model.requests[0]?.contents)).toContain("can hand the conversation over only once");
  });

  test("it goes over and back, and each is asked with its own head", async () => {
    const desk: ReturnType<typeof agent> = agent("desk", [call("transfer_to_billing"), say("Bye.")], {
      tools: [handoff(() => billing.agent, { name: "transfer_to_billing" })],
    });
    const billing = agent("billing", [call("back")], { tools: [handoff(() => desk.agent, { name: "back" })] });
    expect(await face(desk.agent, "Go.")).toMatchObject({ text: "Bye.", agent: "desk", turns: 3 });
    expect(desk.model.requests.map(({ instructions }) => instructions)).toEqual(["You are desk.", "You are desk."]);
    // Grows by what was said, so the service's cache holds.
    const [first, second] = desk.model.requests;
    expect(second?.contents.slice(0, 1)).toEqual(first?.contents);
    expect(second?.functions).toEqual(first?.functions);
  });

  test("who takes over has its own choice of tools in its first turn; who gets the conversation back is free", async () => {
    const desk: ReturnType<typeof agent> = agent("desk", [call("transfer_to_billing"), say("Bye.")], {
      tools: [handoff(() => billing.agent, { name: "transfer_to_billing" })],
      toolChoice: { only: ["transfer_to_billing"] },
    });
    const billing = agent("billing", [call("price"), call("back")], {
      tools: [price, handoff(() => desk.agent, { name: "back" })],
      toolChoice: "required",
    });
    await face(desk.agent, "Go.");
    const callings = ({ model: { requests } }: typeof desk) => requests.map(({ calling }) => calling);
    expect(callings(billing)).toEqual([{ mode: "ANY" }, undefined]);
    expect(callings(desk)).toEqual([{ mode: "ANY", allowedFunctionNames: ["transfer_to_billing"] }, undefined]);
  });

  test("a function that makes a new agent each time is called once", async () => {
    const back = call("back");
    const makeBilling = (): Agent =>
      agent("billing", [back, say("Here.")], { tools: [handoff(() => desk.agent, { name: "back" })] }).agent;
    const desk: ReturnType<typeof agent> = agent("desk", [call("go"), call("go")], {
      tools: [handoff(makeBilling, { name: "go" })],
    });
    expect(await face(desk.agent, "Go.")).toMatchObject({ agent: "billing", text: "Here." });
  });

  test("typed input, and a filter of what the other one is sent", async () => {
    const billing = agent("billing", [call("price"), say("Here.")], { tools: [price] });
    const desk = agent("desk", [call("transfer_to_billing", { invoice: 7 })], {
      tools: [
        handoff(billing.agent, {
          description: "Questions about invoices.",
          input: z.object({ invoice: z.number() }),
          filter: (contents) => contents.slice(1),
        }),
      ],
    });
    const said = (text: string): Content => ({ role: "user", parts: [{ text }] });
    const result = await face(desk.agent, [said("A secret."), said("What do I owe?")]);
    const [first, second] = billing.model.requests;
    expect(first?.contents.map(({ role }) => role)).toEqual(["user", "model", "user"]);
    expect(first?.contents[0]).toEqual(said("What do I owe?"));
    expect(first?.contents[1]?.parts[0]?.functionCall?.args).toEqual({ invoice: 7 });
    expect(second?.contents.slice(0, 3)).toEqual(first?.contents);
    // The history itself is whole.
    expect(result.contents).toHaveLength(7);
  });

  // The service takes no response without its call, and no call before a message.
  test.each<[string, NonNullable<HandoffOptions["filter"]>, string[]]>([
    ["a response without its call", (contents) => contents.slice(-3), ["Go.", "back", "back"]],
    ["calls, and nothing that was said", (contents) => contents.slice(1), ["Go.", "price", "price", "back", "back"]],
    ["a response alone", (contents) => contents.slice(-1), ["Go."]],
    ["less of its own list", (contents) => (contents as Content[]).splice(3), ["Go.", "back", "back"]],
    ["all", (contents) => contents, ["Go.", "price", "price", "back", "back"]],
    ["what its author writes", () => [{ role: "user", parts: [{ text: "Sum." }] }], ["Sum."]],
  ])("a filter that leaves %s is given a beginning that can be sent", async (_left, filter, sent) => {
    const billing = agent("billing", [say("Here.")]);
    const desk = agent("desk", [call("price"), call("back")], {
      tools: [price, handoff(billing.agent, { name: "back", filter })],
    });
    await face(desk.agent, "Go.");
    const [request] = billing.model.requests;
    const shown = request?.contents.flatMap(({ parts }) =>
      parts.map(({ text, functionCall, functionResponse }) => text ?? (functionCall ?? functionResponse)?.name),
    );
    expect(shown).toEqual(sent);
  });

  test("a filter whose contents the service would refuse fails the run before anything of it is stored", async () => {
    const store = new MemoryStore();
    const billing = agent("billing", [say("Here.")]);
    const desk = agent("desk", [call("transfer_to_billing")], {
      tools: [handoff(billing.agent, { filter: (contents) => contents.filter(({ role }) => role === "user") })],
    });
    const session = desk.agent.session({ id: "s", store });
    await expect(session.send("Go.")).rejects.toThrow(
      "the filter of a handoff leaves invalid contents: contents[1] answers transfer_to_billing, which the previous content does not call",
    );
    expect(await session.send("And now?")).toMatchObject({ agent: "billing", text: "Here." });
  });

  test("the lower limits of the two hold for the message", async () => {
    const billing = agent("billing", [call("price"), call("price")], { tools: [price], limits: { turns: 10 } });
    const desk = agent("desk", [call("transfer_to_billing")], {
      tools: [handoff(billing.agent)],
      limits: { turns: 3 },
    });
    expect(await face(desk.agent, "Go.")).toMatchObject({
      stopReason: "limit",
      limit: { name: "turns", limit: 3, used: 3 },
      agent: "billing",
    });
  });

  test("limits that the other agent does not set are those of the agent that began", async () => {
    const lines = Array.from({ length: 29 }, () => call("price"));
    const billing = agent("billing", [...lines, say("Here.")], { tools: [price], limits: { repeats: Infinity } });
    const desk = agent("desk", [call("transfer_to_billing")], {
      tools: [handoff(billing.agent)],
      limits: { turns: 40 },
    });
    expect(await face(desk.agent, "Go.")).toMatchObject({ stopReason: "finished", turns: 31 });
  });

  test("a hook that answers the call keeps the first one in charge", async () => {
    const billing = agent("billing", []);
    const desk = agent("desk", [call("transfer_to_billing"), say("Billing is closed.")], {
      tools: [handoff(billing.agent)],
      hooks: { beforeCall: () => ({ output: "closed" }) },
    });
    expect(await face(desk.agent, "Go.")).toMatchObject({ agent: "desk", text: "Billing is closed." });
  });

  test("each answer has the price of its own agent", async () => {
    const billing = agent("billing", [say("Here.")], { prices: { input: 0, output: 1_000_000 } });
    const desk = agent("desk", [call("transfer_to_billing")], {
      tools: [handoff(billing.agent)],
      prices: { input: 1_000_000, output: 0 },
    });
    const { cost, usage } = await face(desk.agent, "Go.");
    expect(usage).toMatchObject({ inputTokens: 20, outputTokens: 10 });
    // 10 tokens of the desk's prompt, and 5 of what billing said.
    expect(cost).toBe(15);
  });

  test("guardrails, approvals, hooks and stop rules are the leading agent's", async () => {
    const seen: string[] = [];
    const note = (who: string) => ({
      guardrails: {
        output: [{ name: who, check: ({ text }: { text: string }) => void seen.push(`${who} checks ${text}`) }],
      },
      hooks: {
        beforeCall: ({ call: { name }, agent: by }: { call: { name: string }; agent: string }) =>
          void seen.push(`${who} ${by} ${name}`),
      },
      approve: () => {
        seen.push(`${who} approves`);
        return true;
      },
    });
    const pay = defineTool({ name: "pay", description: "x", needsApproval: true, run: () => "paid" });
    const billing = agent("billing", [call("pay"), say("Paid.")], { tools: [pay], ...note("billing") });
    const desk = agent("desk", [call("transfer_to_billing")], { tools: [handoff(billing.agent)], ...note("desk") });
    await face(desk.agent, "Pay.");
    expect(seen).toEqual([
      "desk desk transfer_to_billing",
      "billing approves",
      "billing billing pay",
      "billing checks Paid.",
    ]);
  });

  test("what the caller chose for the run holds for both; the head is each one's own", async () => {
    const billing = agent("billing", [say('{"sum":12}')], {
      settings: { temperature: 1 },
      output: z.object({ no: z.string() }),
    });
    const desk = agent("desk", [call("transfer_to_billing")], { tools: [handoff(billing.agent)] });
    const output = z.object({ sum: z.number() });
    const result = (await face(desk.agent, "Go.", {
      output,
      settings: { temperature: 0 },
      instructions: "Only for the desk.",
    } as object)) as RunResult<unknown>;
    expect(finished(result).output).toEqual({ sum: 12 });
    expect(desk.model.requests[0]).toMatchObject({ instructions: "Only for the desk.", settings: { temperature: 0 } });
    expect(billing.model.requests[0]).toMatchObject({ instructions: "You are billing.", settings: { temperature: 1 } });
  });

  test("a handoff that is denied leaves the first one in charge", async () => {
    const billing = agent("billing", []);
    const desk = agent("desk", [call("transfer_to_billing"), say("I will try myself.")], {
      tools: [handoff(billing.agent, { needsApproval: true })],
      approve: () => ({ deny: "not now" }),
    });
    expect(await face(desk.agent, "Go.")).toMatchObject({ agent: "desk", text: "I will try myself." });
  });
});

test("the events say who takes over", async () => {
  const billing = agent("billing", [say("Here.")]);
  const desk = agent("desk", [call("transfer_to_billing")], { tools: [handoff(billing.agent)] });
  const { events } = await collect(desk.agent.stream("Go."));
  assertGrammar(events);
  expect(kindsOf(events).join(" ")).toBe(
    "run-start turn-start part response tool-start tool-end desk -> billing turn-end " +
      "turn-start text-delta response turn-end run-end",
  );
});

describe.each(SESSION_FACES)("who leads a session, read by %s", (_face, face) => {
  /** Fresh agents, as a new process has them. */
  function team(deskLines: readonly ScriptLine[], billingLines: readonly ScriptLine[], ids = ["desk", "billing"]) {
    const desk: ReturnType<typeof agent> = agent(ids[0] ?? "", deskLines, {
      tools: [handoff(() => billing.agent, { name: "transfer_to_billing" })],
    });
    const billing: ReturnType<typeof agent> = agent(ids[1] ?? "", billingLines, {
      tools: [price, handoff(() => desk.agent, { name: "back" })],
    });
    return { desk, billing };
  }

  test("the next message goes to the agent that took over, in any process, and back again", async () => {
    const store = new MemoryStore();
    const at = ({ desk }: ReturnType<typeof team>) => desk.agent.session({ id: "s", store });
    const first = team([call("transfer_to_billing")], [say("Billing here.")]);
    expect(await face.send(at(first), "Hi.")).toMatchObject({ text: "Billing here.", agent: "billing" });
    const second = team([say("The desk again.")], [say("Still billing."), call("back")]);
    expect(await face.send(at(second), "And?")).toMatchObject({ text: "Still billing.", agent: "billing" });
    expect(await face.send(at(second), "The desk, please.")).toMatchObject({ text: "The desk again.", agent: "desk" });
    const third = team([say("Desk.")], []);
    expect(await face.send(at(third), "Thanks.")).toMatchObject({ text: "Desk.", agent: "desk" });
    const entries = (await store.load("s")) as unknown as readonly { type: string; agent?: string }[];
    const takers = entries.flatMap(({ type, agent: name }) => (type === "run" ? name : []));
    expect(takers).toEqual(["desk", "billing", "billing", "desk"]);
  });

  test("a message sent again goes to the agent that answered it first; a rewind takes the handoff back", async () => {
    const { desk, billing } = team(
      [call("transfer_to_billing"), call("transfer_to_billing")],
      [say("One."), say("Two."), say("Three.")],
    );
    const session = desk.agent.session({ store: new MemoryStore() });
    await face.send(session, "Hi.");
    await face.send(session, "And?");
    expect(await face.regenerate(session)).toMatchObject({ text: "Three.", agent: "billing" });
    await session.rewind();
    await session.rewind();
    expect((await face.send(session, "Hi.").catch((error: unknown) => error)) as object).toBeInstanceOf(Error);
    expect(desk.model.requests).toHaveLength(2);
    billing.model.assertSpent();
  });

  test("an agent that no longer exists after a deploy leaves the session's own agent in charge", async () => {
    const store = new MemoryStore();
    const first = team([call("transfer_to_billing")], [say("Billing here.")]);
    await face.send(first.desk.agent.session({ id: "s", store }), "Hi.");
    const alone = agent("desk", [say("Desk.")]);
    expect(await face.send(alone.agent.session({ id: "s", store }), "And?")).toMatchObject({
      text: "Desk.",
      agent: "desk",
    });
  });

  test("as() puts an agent in charge, no matter which agent leads", async () => {
    const { desk } = team([call("transfer_to_billing"), say("Desk.")], [say("Billing here.")]);
    const session = desk.agent.session();
    await face.send(session, "Hi.");
    expect(await face.send(session.as(desk.agent), "The desk, please.")).toMatchObject({
      text: "Desk.",
      agent: "desk",
    });
  });

  test("an agent that the program put in charge stays in charge in every process whose session knows it", async () => {
    const store = new MemoryStore();
    const open = (lines: readonly ScriptLine[], knows: boolean) => {
      const sales = agent("sales", [say("Sales.")]);
      const night = agent("night", lines, { tools: [handoff(sales.agent)] });
      const desk = agent("desk", [say("Desk.")]);
      return { night, session: desk.agent.session({ id: "s", store, ...(knows && { agents: [night.agent] }) }) };
    };
    const first = open([say("The desk is closed.")], false);
    await face.send(first.session.as(first.night.agent), "Hi.");
    const second = open([say("Still closed."), call("transfer_to_sales")], true);
    expect(await face.send(second.session, "And now?")).toMatchObject({ text: "Still closed.", agent: "night" });
    expect(await face.send(second.session, "Sales?")).toMatchObject({ text: "Sales.", agent: "sales" });
    expect(await face.send(open([], true).session, "Still there?")).toMatchObject({ text: "Sales.", agent: "sales" });
    expect(await face.send(open([], false).session, "And now?")).toMatchObject({ text: "Desk.", agent: "desk" });
  });

  test("a run that died after any append continues with the agent that led then, and calls nothing twice", async () => {
    const moments: (readonly object[])[] = [];
    const store = new (class extends MemoryStore {
      override async append(...given: Parameters<MemoryStore["append"]>): Promise<void> {
        await super.append(...given);
        moments.push((await this.load("s")) as readonly object[]);
      }
    })();
    const lines = (): readonly [ScriptLine[], ScriptLine[]] => [
      [call("transfer_to_billing")],
      [call("price"), say("It is 12 euros.")],
    ];
    const whole = await face.send(team(...lines()).desk.agent.session({ id: "s", store }), "Hi.");
    for (const log of moments.slice(0, -1)) {
      const copy = new MemoryStore();
      await copy.append("s", 0, log as never);
      // Has what is missing, and no more: a model that is asked twice has nothing to say.
      const asked = log.filter(
        (entry) => JSON.stringify(entry).includes('"kind":"model"') && "outcome" in entry,
      ).length;
      const [desk, billing] = lines();
      const next = team(desk.slice(asked), billing.slice(Math.max(0, asked - 1)));
      const session = next.desk.agent.session({ id: "s", store: copy });
      const result = await face.continue(session, {});
      expect([result.text, result.agent, result.contents]).toEqual([whole.text, whole.agent, whole.contents]);
      next.desk.model.assertSpent();
      next.billing.model.assertSpent();
      const replayed = await next.desk.agent.session({ id: "s", store: copy }).replay().result();
      expect(replayed.contents).toEqual(whole.contents);
      expect(await face.continue(session, {})).toMatchObject({ text: whole.text, agent: "billing", turns: 3 });
    }
    expect(moments.length).toBeGreaterThan(4);
  });

  test("an answer reaches the call of the agent that asked", async () => {
    const pay = defineTool({ name: "pay", description: "x", needsApproval: true, run: () => "paid" });
    const billing = agent("billing", [call("pay"), say("Paid.")], { tools: [pay] });
    const desk = agent("desk", [call("transfer_to_billing")], { tools: [handoff(billing.agent)] });
    const session = desk.agent.session();
    const waiting = await face.send(session, "Pay.");
    expect(waiting).toMatchObject({ stopReason: "needs-approval", agent: "billing" });
    const [{ token } = { token: "" }] = "pending" in waiting ? waiting.pending : [];
    expect(await face.resume(session, { approvals: { [token]: true } })).toMatchObject({
      text: "Paid.",
      agent: "billing",
    });
  });

  test("the result keeps the caller's type, no matter which agent leads", async () => {
    const billing = agent("billing", [say('{"sum":12}'), say('{"sum":13}')]);
    const model = new ScriptedModel(call("transfer_to_billing"));
    const desk = new Agent({
      name: "desk",
      model,
      tools: [handoff(billing.agent)],
      output: z.object({ sum: z.number() }),
    });
    const session = desk.session();
    expect(await face.send(session as never, "Hi.")).toMatchObject({ output: { sum: 12 } });
    expect(await face.send(session as never, "And?")).toMatchObject({ output: { sum: 13 } });
  });
});

describe("mistakes", () => {
  test("an agent without a name cannot take over", () => {
    expect(() => handoff(new Agent({ model: new ScriptedModel() }))).toThrow(ConfigurationError);
    expect(() => handoff(new Agent({ model: new ScriptedModel() }))).toThrow('new Agent({ name: "billing", … })');
  });

  test("an agent that is passed as a function needs a name for its tool", () => {
    expect(() => handoff(() => agent("billing", []).agent)).toThrow('name: "transfer_to_billing"');
  });

  test.each([{}, "billing", [{}], [undefined]])("agents of a session are a list of agents, and not %o", (agents) => {
    const { agent: desk } = agent("desk", []);
    expect(() => desk.session({ agents: agents as unknown as Agent[] })).toThrow(
      new TypeError("agents must be a list of agents: agents: [billing]"),
    );
    expect(() => desk.session(null as unknown as object)).toThrow("session(): the options must be an object, got null");
  });

  test("two agents with one name cannot be told apart", async () => {
    const desk = agent("desk", [calls("a")], {
      tools: [
        handoff(agent("billing", [say("x")]).agent, { name: "a" }),
        handoff(agent("billing", []).agent, { name: "b" }),
      ],
    });
    await expect(desk.agent.run("Go.")).rejects.toThrow('two agents with the name "billing"');
  });

  test("another library's options are answered with ours", () => {
    const { agent: billing } = agent("billing", []);
    expect(() => handoff(billing, { inputFilter: () => [] } as object)).toThrow("use filter");
    expect(() => handoff(billing, { toolNameOverride: "x" } as object)).toThrow("use name");
    expect(() => handoff(billing, { toolDescriptionOverride: "x" } as object)).toThrow("use description");
    expect(() => handoff(billing, { inputType: {} } as object)).toThrow("use input");
  });

  test("a filter that returns no list fails the run", async () => {
    const billing = agent("billing", []);
    const desk = agent("desk", [call("transfer_to_billing")], {
      tools: [handoff(billing.agent, { filter: () => "x" as unknown as [] })],
    });
    await expect(desk.agent.run("Go.")).rejects.toThrow("the filter of a handoff must return a list of contents");
  });

  test("a filter that leaves nothing fails the run", async () => {
    const billing = agent("billing", []);
    const desk = agent("desk", [call("transfer_to_billing")], {
      tools: [handoff(billing.agent, { filter: () => [] })],
    });
    await expect(desk.agent.run("Go.")).rejects.toThrow("must leave something to answer");
  });
});

test("a run inside a call hands over as well", async () => {
  const billing = agent("billing", [say("12 euros.")]);
  const desk = agent("desk", [call("transfer_to_billing")], { tools: [handoff(billing.agent)] });
  const boss = agent("boss", [call("desk", { task: "Ask." }), say("Done.")], {
    tools: [desk.agent.asTool({ description: "x" })],
  });
  const result = await boss.agent.run("Go.");
  expect(result.toolCalls[0]).toMatchObject({ status: "completed", output: "12 euros." });
  expect(result.agent).toBe("boss");
});

test("agents that a function makes for each run can take over", async () => {
  const lines = () => [call("transfer_to_billing"), call("transfer_to_billing")];
  const { agent: desk } = agent("desk", lines(), {
    tools: ({ runId }) => [handoff(agent("billing", [say(`Here, in ${runId}.`)]).agent)],
  });
  for (const runId of ["one", "two"])
    expect(await desk.run("Go.", { runId })).toMatchObject({ text: `Here, in ${runId}.`, agent: "billing" });
});

test("instructions and tools that are functions are made once for who takes over", async () => {
  const made = vi.fn<(run: { agent: string; context: unknown }) => string>(
    ({ agent: who, context }) => `${who} for ${String(context)}`,
  );
  const model = new ScriptedModel(call("price"), say("Here."));
  const billing = new Agent<string>({ name: "billing", model, instructions: made, tools: () => [price] });
  const desk = new Agent({
    name: "desk",
    model: new ScriptedModel(call("transfer_to_billing")),
    tools: [handoff(billing)],
  });
  await desk.run("Go.", { context: "Ada" });
  expect(model.requests.map(({ instructions }) => instructions)).toEqual(["billing for Ada", "billing for Ada"]);
  expect(made).toHaveBeenCalledOnce();
});
