import { Agent, defineTool, MemoryStore } from "@pollux/core";
import { call, calls, fails, parts, say, ScriptedModel } from "@pollux/core/testing";
import * as emulated from "@pollux/emulator";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { readRecording } from "../../src/inspection/recording.ts";
import type { ReplayResult } from "../../src/inspection/results.ts";
import { inspect, keptSession } from "../support/inspected.ts";
import { add, pay, sessionOf } from "../support/sessions.ts";
import { answersTo } from "../../../core/test/helpers/answers.ts";

const { script } = emulated;
const sum = () => script([emulated.call("add", { a: 1, b: 2 }), emulated.say("It is 3.")]);

describe("with a rebuilt agent", () => {
  test("from the log: calls that failed, and calls side by side", async () => {
    const store = new MemoryStore();
    await sessionOf(store, [calls({ name: "add", args: { a: 1, b: 2 } }, "fail"), say("It is 3.")]).send(
      "What is 1 + 2?",
    );
    const before = await store.load("chat-1");
    const result = await inspect({ store }).view<ReplayResult>("replay");
    expect(result).toEqual({
      isSame: true,
      differences: [],
      stopReason: "finished",
      turns: 2,
      text: "It is 3.",
      notes: [expect.stringContaining("were not kept")],
    });
    expect(await store.load("chat-1")).toEqual(before);
  });

  test("from kept requests, and without key or network", async () => {
    const { store, exchanges, emulator } = await keptSession(sum(), "What is 1 + 2?");
    const sent = emulator.requests.length;
    const result = await inspect({ store, exchanges }).view<ReplayResult>("replay");
    expect(result).toMatchObject({ isSame: true, text: "It is 3.", notes: [] });
    expect(emulator.requests).toHaveLength(sent);
  });

  test("with the settings that its requests had", async () => {
    const settings = { temperature: 0.5, stopSequences: ["END"], thinking: "low" } as const;
    const { store, exchanges } = await keptSession(sum(), "What is 1 + 2?", { settings });
    const result = await inspect({ store, exchanges }).view<ReplayResult>("replay");
    expect(result).toMatchObject({ isSame: true, text: "It is 3.", notes: [] });
  });

  test("a run that waited for approval, of several runs", async () => {
    const store = new MemoryStore();
    const session = sessionOf(store, [say("Hello."), call("pay", { amount: 3 }), say("Paid.")]);
    await session.send("Hi");
    const asked = await session.send("Pay 3.");
    expect(asked.stopReason).toBe("needs-approval");
    expect(await inspect({ store }).view("replay")).toMatchObject({ isSame: true, stopReason: "needs-approval" });
    await session.resume(await answersTo(session, { approvals: { "call:1.0": true } }));
    expect(await inspect({ store }).view("replay")).toMatchObject({ isSame: true, text: "Paid." });
    const [first] = (await store.load("chat-1")) as unknown as readonly { readonly runId: string }[];
    const run = first?.runId ?? "";
    expect(await inspect({ store }).view("replay", { run })).toMatchObject({ isSame: true, text: "Hello." });
  });

  test("an external call", async () => {
    const store = new MemoryStore();
    const scan = defineTool({ name: "scan", description: "Scans", input: z.object({}) });
    const session = sessionOf(store, [call("scan"), say("Scanned.")], { tools: [scan] });
    await session.send("Scan it.");
    await session.resume(await answersTo(session, { outcomes: { "call:1.0": { output: "a page" } } }));
    expect(await inspect({ store }).view("replay")).toMatchObject({ isSame: true, text: "Scanned." });
  });

  test.each([
    ["a limit", { limits: { turns: 2 } }, "limit"],
    ["repeated calls", {}, "repeated-calls"],
  ] as const)("a run that ended by %s", async (_, options, stopReason) => {
    const store = new MemoryStore();
    const again = call("add", { a: 1, b: 1 });
    await sessionOf(store, [again, again, again, again], options).send("Add them.");
    expect(await inspect({ store }).view("replay")).toMatchObject({ isSame: true, stopReason });
  });

  test("typed output", async () => {
    const { store, exchanges, agent } = await keptSession(
      script([emulated.say("Hello."), emulated.json({ sum: 3 })]),
      "Hi",
    );
    await agent.session({ id: "chat-1", store }).send("What is 1 + 2?", { output: z.object({ sum: z.number() }) });
    for (const agents of [{}, { helper: agent }])
      expect(await inspect({ store, exchanges, agents }).view("replay")).toMatchObject({
        isSame: true,
        stopReason: "finished",
      });
  });

  test("a failed run replays to the end of its log", async () => {
    const store = new MemoryStore();
    const failed = sessionOf(store, [call("add", { a: 1, b: 2 }), fails(new Error("the network is down"))]).send(
      "Add.",
    );
    await expect(failed).rejects.toThrow();
    const result = await inspect({ store }).view<ReplayResult>("replay");
    expect(result).toMatchObject({ isSame: true, differences: [] });
    expect(result.notes).toContainEqual(expect.stringContaining("The log ends here"));
  });

  test("a request that was refused in a recording fails again, and is no difference", async () => {
    const answer = JSON.stringify({ error: { code: 429, message: "Too many.", status: "RESOURCE_EXHAUSTED" } });
    const user = { role: "user", parts: [{ text: "Hi" }] };
    const exchange = { model: "gemini-3.5-flash", status: 429, request: { contents: [user] }, responseBody: answer };
    const recorded = readRecording({ exchanges: [exchange] });
    const [store, exchanges] = [new MemoryStore(), new MemoryStore()];
    await store.append("chat-1", 0, recorded.entries);
    await exchanges.append("chat-1", 0, recorded.exchanges);
    const result = await inspect({ store, exchanges }).view<ReplayResult>("replay");
    expect(result).toMatchObject({ isSame: true, notes: [expect.stringContaining("Too many.")] });
  });

  test("a run of a recording", async () => {
    const answer = (content: object): string =>
      JSON.stringify({ candidates: [{ content, finishReason: "STOP" }], usageMetadata: { promptTokenCount: 4 } });
    const user = { role: "user", parts: [{ text: "1 + 2?" }] };
    const called = { role: "model", parts: [{ functionCall: { name: "add", args: {} } }] };
    const result = { role: "user", parts: [{ functionResponse: { name: "add", response: { output: 3 } } }] };
    const base = { path: "/v1beta/models/gemini-2.5-flash:generateContent", model: "gemini-2.5-flash", status: 200 };
    const recorded = readRecording({
      exchanges: [
        { ...base, request: { contents: [user] }, responseBody: answer(called) },
        {
          ...base,
          request: { contents: [user, called, result] },
          responseBody: answer({ role: "model", parts: [{ text: "3" }] }),
        },
      ],
    });
    const [store, exchanges] = [new MemoryStore(), new MemoryStore()];
    await store.append("chat-1", 0, recorded.entries);
    await exchanges.append("chat-1", 0, recorded.exchanges);
    expect(await inspect({ store, exchanges }).view("replay")).toMatchObject({ isSame: true, turns: 2, text: "3" });
  });

  test("a call of a function that does not exist", async () => {
    const store = new MemoryStore();
    await sessionOf(store, [call("subtract", { a: 1 }), say("No.")]).send("Subtract.");
    expect((await inspect({ store }).view<ReplayResult>("replay")).text).toBe("No.");
  });

  test("a note says that logs don't have guardrails", async () => {
    const store = new MemoryStore();
    const guardrails = { input: [{ name: "polite", check: () => {} }] };
    await sessionOf(store, [say("Hello.")], { guardrails }).send("Hi");
    const result = await inspect({ store }).view<ReplayResult>("replay");
    expect(result.notes).toContainEqual(expect.stringContaining("guardrails"));
  });
});

describe("by the given agent", () => {
  test("is the same with the same code", async () => {
    const { store, exchanges, agent, emulator } = await keptSession(sum(), "What is 1 + 2?");
    const sent = emulator.requests.length;
    const inspected = inspect({ store, exchanges, agents: { helper: agent } });
    expect(await inspected.view("replay")).toMatchObject({ agent: "helper", isSame: true, differences: [] });
    expect(emulator.requests).toHaveLength(sent);
  });

  test("a request that would differ is shown with the field", async () => {
    const { store, exchanges, changed } = await keptSession(sum(), "What is 1 + 2?");
    const agents = { helper: changed({ instructions: "You count." }) };
    const result = await inspect({ store, exchanges, agents }).view<ReplayResult>("replay");
    expect(result).toMatchObject({
      agent: "helper",
      isSame: false,
      differences: [],
      request: { n: 0, field: "systemInstruction.parts[0].text" },
    });
    expect(result.request?.was).toContain("calculate");
    expect(result.request?.is).toContain("count");
  });

  test("a run that would act differently is shown with the step, and no tool runs", async () => {
    const store = new MemoryStore();
    await sessionOf(store, [call("add", { a: 1, b: 2 }), say("It is 3.")]).send("What is 1 + 2?");
    let ran = 0;
    const asking = defineTool({ ...spec, needsApproval: true, run: () => ran++ });
    const changed = new Agent({ model: new ScriptedModel(), tools: [asking] });
    const result = await inspect({ store, agents: { changed } }).view<ReplayResult>("replay");
    expect(result).toMatchObject({ agent: "changed", isSame: false });
    expect(result.differences).toEqual([expect.stringContaining("route:1")]);
    expect(ran).toBe(0);
    const rebuilt = await inspect({ store, agents: { changed } }).view<ReplayResult>("replay", { agent: "" });
    expect(rebuilt).toMatchObject({ isSame: true });
  });

  test("a missing one is refused with the names of the others", async () => {
    const store = new MemoryStore();
    await sessionOf(store, [say("Hello.")]).send("Hi");
    const agents = { helper: new Agent({ model: new ScriptedModel(), tools: [add, pay] }) };
    const asked = inspect({ store, agents }).view("replay", { agent: "other" });
    await expect(asked).rejects.toThrow('404 no_agent: There is no agent "other"; there is helper.');
  });
});

const spec = { name: "add", description: "Adds two numbers", input: z.object({ a: z.number(), b: z.number() }) };

test("a session without runs has none to replay", async () => {
  const store = new MemoryStore();
  await sessionOf(store, []).describe({ title: "Empty" });
  await expect(inspect({ store }).view("replay")).rejects.toThrow("404 not_found: There is no such run");
});

test("hostile calls are harmless: invalid names, and arguments that are no object", async () => {
  const store = new MemoryStore();
  const odd = parts({ functionCall: { name: "__proto__", args: {} } }, { functionCall: { name: "<img>", args: {} } });
  await sessionOf(store, [odd, say("Done.")]).send("Go.");
  expect((await inspect({ store }).view<ReplayResult>("replay")).text).toBe("Done.");
});

test("a call that read something that has changed since is a difference, for a given agent", async () => {
  const look = { name: "look", description: "Looks." } as const;
  const agentAt = (now: string): Agent =>
    new Agent({
      model: new ScriptedModel(call("look"), say("Seen.")),
      name: "helper",
      tools: [
        {
          ...defineTool({ ...look, run: async (_input, { step }) => await step?.("seen", async () => "red") }),
          changedSince: async ({ seen }) => (seen === now ? undefined : `it is ${now} now`),
        },
      ],
    });
  const store = new MemoryStore();
  await agentAt("red").session({ id: "chat-1", store }).send("Look.");
  const same = { isSame: true, differences: [], text: "Seen." };
  expect(await inspect({ store, agents: { helper: agentAt("red") } }).view("replay")).toMatchObject(same);
  expect(await inspect({ store, agents: { helper: agentAt("blue") } }).view("replay")).toMatchObject({
    isSame: false,
    differences: ["call:1.0 (look) read something that has changed: it is blue now"],
    text: "Seen.",
  });
});
