import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  Agent,
  type AgentOptions,
  approve,
  defineTool,
  endpoint,
  gemini,
  googleSearch,
  type Json,
  MemoryStore,
} from "@pollux/core";
import { KeptExchanges, keepExchanges } from "@pollux/core/exchanges";
import { replayRun } from "@pollux/core/rehearsal";
import { call, createEmulator, grounded, say, script, type ScriptLine, think } from "@pollux/emulator";
import { defineEval, proposeCase, sessionCase, writeSessionCase } from "@pollux/evals";
import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";

const scrub = (text: string): string => text.replaceAll("Anna", "K").replaceAll("Bergen", "Örebro 🏔️");

const lookUp = defineTool({
  name: "look_up",
  description: "Finds a customer.",
  input: z.object({ name: z.string() }),
  run: ({ name }) => `${name} lives in Bergen`,
});
const write = defineTool({
  name: "write",
  description: "Writes a letter.",
  input: z.object({ to: z.string() }),
  needsApproval: true,
  run: ({ to }) => `written to ${to}`,
});

/** Stores, and an agent that is played by these lines. */
function recorder(lines: readonly ScriptLine[], options: Partial<AgentOptions> = {}) {
  const [store, exchangesStore] = [new MemoryStore(), new MemoryStore()];
  const keeper = keepExchanges(exchangesStore);
  const emulator = createEmulator({ brain: script(lines) });
  const model = gemini("gemini-3.8-flash", {
    endpoint: endpoint({ baseUrl: "http://127.0.0.1" }),
    fetch: (input, init) => emulator.fetch(input, init),
  });
  const agentOf = (changes: Partial<AgentOptions> = {}): Agent =>
    new Agent({ model, name: "support", tools: [lookUp, write], observers: [keeper], ...options, ...changes });
  const agent = agentOf();
  const session = agent.session({ id: "s", store });
  const suiteOf = (tested: Agent = agent, more: object = { scrub }) =>
    defineEval("support", { agent: tested, data: [], ...more });
  const propose = async (more: object = {}) => {
    await keeper.flush();
    return await proposeCase({ store, exchangesStore, sessionId: "s", suite: suiteOf(), ...more });
  };
  return { agentOf, model, keeper, session, store, suiteOf, propose };
}

describe.each<[string, readonly ScriptLine[], Partial<AgentOptions>]>([
  [
    "thoughts, parallel calls and split texts",
    [
      [think("Who is Anna?"), call("look_up", { name: "Kim" }), call("look_up", { name: "Anna" })],
      say("You are An", "na from Berg", "en."),
    ],
    { settings: { includeThoughts: true } },
  ],
  [
    "citations",
    [
      grounded("It rains in Bergen, Anna. It is dry in Oslo.", {
        queries: ["weather Bergen"],
        sources: [{ title: "Bergen news" }, { title: "yr.no" }],
      }),
    ],
    { tools: [googleSearch()] },
  ],
])("a run with %s", (_name, lines, options) => {
  test("becomes a case whose replay is the same", async () => {
    const { session, propose, agentOf } = recorder(lines, options);
    await session.send("I am Anna from Bergen.", { metadata: { customer: "Anna" } });
    const proposed = await propose({ turn: 1, tags: ["names"] });
    expect(proposed.problem).toBeUndefined();
    expect(proposed.requests).toBe(lines.length);
    expect(proposed.differences[0]).toEqual({
      where: "log[0].input[0].parts[0].text",
      was: "I am Anna from Bergen.",
      is: "I am K from Örebro 🏔️.",
    });
    const folder = await mkdtemp(join(tmpdir(), "pollux-case-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    writeSessionCase(join(folder, "anna"), proposed.files);
    const written = sessionCase(join(folder, "anna"));
    expect(written).toMatchObject({ id: "anna", turn: 1, tags: ["names"], runId: proposed.about.runId });
    expect(JSON.stringify(written)).not.toMatch(/Anna|Bergen/);
    const { isSame, result } = await replayRun(agentOf(), written.recording, { runId: written.runId });
    expect(isSame).toBe(true);
    expect(result?.text).toMatch(/\bK\b.*Örebro 🏔️|Örebro 🏔️.*\bK\b/u);
    const text = result?.text ?? "";
    for (const { start, end, text: said, match } of result?.citations ?? []) {
      expect(match).toBe("exact");
      expect(text.slice(start, end)).toBe(said);
    }
  });
});

test("a run with an approval and an agent inside a call becomes a case", async () => {
  const inner = recorder([call("look_up", { name: "Anna" }), say("She lives in Bergen.")], {
    name: "finder",
    tools: [lookUp],
  });
  const outer = recorder(
    [
      call("finder", { task: "Where does Anna live?" }),
      call("write", { to: "Anna" }),
      say("I wrote to Anna in Bergen."),
    ],
    {},
  );
  const finder = new Agent({ model: inner.model, name: "finder", tools: [lookUp], observers: [outer.keeper] });
  const agent = outer.agentOf({ tools: [finder.asTool({ description: "Finds out." }), write] });
  const session = agent.session({ id: "s", store: outer.store });
  const waiting = await session.send("Write to Anna.");
  await session.answer({ approvals: approve(waiting.stopReason === "needs-approval" ? waiting.pending : []) });
  await session.continue();
  const proposed = await outer.propose({ suite: outer.suiteOf(agent) });
  expect(proposed.problem).toBeUndefined();
  expect(proposed.files.map(({ text }) => text).join("")).not.toMatch(/Anna|Bergen/);
});

test("a run that waits for a person becomes a case", async () => {
  const { session, propose } = recorder([call("write", { to: "Anna" })]);
  await session.send("Write to Anna.");
  const proposed = await propose();
  expect(proposed.problem).toBeUndefined();
  expect(proposed.requests).toBe(1);
});

test("only what came before the run and the run itself are kept, with its requests alone", async () => {
  const { session, propose } = recorder([say("One"), say("Two"), say("Three")]);
  await session.send("First");
  const { runId } = await session.send("Second");
  await session.send("Third");
  const proposed = await propose({ runId });
  expect(proposed.problem).toBeUndefined();
  const [log, exchanges] = proposed.files.slice(0, 2).map(({ text }) =>
    text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Json),
  );
  expect(JSON.stringify(log)).toContain("First");
  expect(JSON.stringify([log, exchanges])).not.toContain("Third");
  expect(new KeptExchanges(exchanges).exchanges.map((one) => one.runId)).toEqual([runId]);
});

describe("is not written, with a reason, when", () => {
  test("the agent as it is now differs from the recording", async () => {
    const { session, propose, agentOf, suiteOf } = recorder([say("Hello Anna")]);
    await session.send("I am Anna.");
    const { problem, requests } = await propose({ suite: suiteOf(agentOf({ instructions: "Be brief." })) });
    expect(requests).toBe(1);
    expect(problem).toMatch(
      /^The agent differs from the recording even without scrub: request 1 \(model:1\) differs at systemInstruction/,
    );
  });

  test("scrub changes what the agent's own code writes", async () => {
    const { session, propose } = recorder([say("Hello")], { instructions: "You work for Anna." });
    await session.send("Hi.");
    const { problem } = await propose();
    expect(problem).toMatch(
      /^After scrub, the run is not the same: request 1 \(model:1\) differs at systemInstruction.*Don't let scrub change/,
    );
  });

  test("its requests were not kept", async () => {
    const { session, propose } = recorder([say("Hello")]);
    await session.send("Hi.");
    expect((await propose({ exchangesStore: undefined })).problem).toMatch(/^The requests of the run .* were not kept/);
  });

  test("the run has not ended", async () => {
    const { session, store, propose } = recorder([say("Hello")]);
    await session.send("Hi.");
    const cut = new MemoryStore();
    await cut.append("s", 0, (await store.load("s")).slice(0, -1));
    expect((await propose({ store: cut })).problem).toMatch(/^The run .* has not ended/);
  });
});

test.each([
  [{ sessionId: "t" }, 'There is no session "t" in the store.'],
  [{ runId: "r" }, 'The session "s" has no run r; it has '],
  [{ turn: 2 }, "has no turn 2: it has 1 to 1."],
])("%j is an error", async (options, message) => {
  const { session, propose } = recorder([say("Hello")]);
  await session.send("Hi.");
  await expect(propose(options)).rejects.toThrow(message);
});

test("a suite without scrub is told what it lacks", async () => {
  const { session, propose, suiteOf } = recorder([say("Hello")]);
  await session.send("Hi.");
  await expect(propose({ suite: suiteOf(undefined, {}) })).rejects.toThrow('The suite "support" has no scrub');
});
