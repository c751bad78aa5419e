import { Agent, defineTool, MemoryStore } from "@pollux/core";
import { call, costs, join, say, ScriptedModel, type ScriptLine } from "@pollux/core/testing";
import type { ChatHandlerOptions, ChatProtocol } from "@pollux/web";
import { agUi } from "@pollux/web/ag-ui";
import { aiSdk, type AiSdkVersion } from "@pollux/web/ai-sdk";
import { describe, expect, test } from "vitest";
import { allChunks, errorOf, openPage, type Page, pay } from "./chat-page.ts";

/** Each request costs one. */
const prices = { input: 1, output: 0 };
const ONE = costs({ promptTokenCount: 1_000_000, totalTokenCount: 1_000_000 });
const turn: ScriptLine = join(call("unknown"), ONE);
const answer: ScriptLine = join(say("Yes."), ONE);

function openShop(lines: readonly ScriptLine[], given: Partial<ChatHandlerOptions>): Page {
  const model = new ScriptedModel(...lines);
  return openPage(model, { agent: new Agent({ model, tools: [pay], prices, limits: { repeats: 99 } }), ...given });
}

/** What a page knows of the last message: from the stream, and when it is loaded. */
async function shown(page: Page, response: Response, chat = "c1"): Promise<readonly unknown[]> {
  // A client merges each into what it has.
  const metadata: Record<string, unknown> = {};
  for (const chunk of await allChunks(response))
    if ("messageMetadata" in chunk) Object.assign(metadata, chunk.messageMetadata);
  const loaded = (await (await page.ask("GET", `/${chat}`)).json()) as { messages: { metadata: unknown }[] };
  return [metadata, loaded.messages.at(-1)?.metadata];
}

const VERSIONS: readonly AiSdkVersion[] = [5, 6, 7];

describe("the limits of a conversation", () => {
  test.each([
    [{ turns: 2 }, "turns"],
    [{ cost: 1.5 }, "cost"],
    [{ totalTokens: 1_500_000 }, "totalTokens"],
  ] as const)("%j end a run and refuse the next message, by name", async (limits, name) => {
    const page = openShop([turn, turn, answer], { limits });
    const ended = { state: "stopped", stopReason: "limit", limit: name, limitScope: "session" };
    for (const metadata of await shown(page, await page.send("1"))) expect(metadata).toMatchObject(ended);
    expect(await errorOf(await page.send("2"))).toEqual({ status: 429, code: `session_limit_${name}` });
    // Another conversation has limits of its own.
    const other = openShop([answer], { limits, store: page.store });
    expect((await shown(other, await other.send("1", { chat: "c2" }), "c2"))[0]).toMatchObject({ state: "complete" });
  });

  test("hold over several runs, in several processes", async () => {
    const store = new MemoryStore();
    for (const text of ["1", "2"])
      await allChunks(await openShop([answer], { store, limits: { turns: 2 } }).send(text));
    const refused = await openShop([answer], { store, limits: { turns: 2 } }).send("3");
    expect(await errorOf(refused)).toEqual({ status: 429, code: "session_limit_turns" });
  });

  test("are checked with the other options", () => {
    expect(() => openShop([], { limits: { turns: 0 } })).toThrow("limits.turns must be a positive number");
    const model = new ScriptedModel();
    const agent = new Agent({ model });
    expect(() => openPage(model, { agent, limits: { cost: 1 } })).toThrow("limits.cost requires prices");
    expect(() => openPage(model, { agent, spending: { maxCost: 1 } })).toThrow("spending requires prices");
  });
});

describe("the spending limit of an owner", () => {
  test.each(VERSIONS)("is told from other limits, in version %d of the AI SDK", async (version) => {
    const protocol = aiSdk({ version });
    const owner = openShop([turn, turn], { protocol, spending: { maxCost: 2 } });
    for (const metadata of await shown(owner, await owner.send("1")))
      expect(metadata).toMatchObject({ stopReason: "limit", limit: "cost", limitScope: "owner" });
    const run = openShop([turn, turn], { protocol, spending: { maxCost: 9, maxCostPerRun: 2 } });
    for (const metadata of await shown(run, await run.send("1"))) {
      expect(metadata).toMatchObject({ stopReason: "limit", limit: "cost" });
      expect(metadata).not.toHaveProperty("limitScope");
    }
  });

  test("ends runs that began together when one of them has used it up, wherever they are", async () => {
    const store = new MemoryStore();
    let arrived = 0;
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    // Each call waits until both runs have made their first request, which uses up the limit.
    const meet = defineTool({
      name: "meet",
      description: "x",
      run: async () => {
        if (++arrived === 2) open();
        await gate;
      },
    });
    const pages = ["a", "b"].map((chat) => {
      const model = new ScriptedModel(join(call("meet"), ONE), turn, turn, answer);
      const agent = new Agent({ model, tools: [meet], prices, limits: { repeats: 99 } });
      return { chat, model, page: openPage(model, { agent, store, spending: { maxCost: 2 } }) };
    });
    const ends = await Promise.all(
      pages.map(async ({ page, chat }) => (await shown(page, await page.send("1", { chat }), chat))[1]),
    );
    for (const end of ends) expect(end).toMatchObject({ stopReason: "limit", limitScope: "owner", cost: 1 });
    expect(pages.map(({ model }) => model.requests.length)).toEqual([1, 1]);
  });

  test("lets a run that it ended go on when there is more, with no limit that it did not have", async () => {
    const store = new MemoryStore();
    const first = openShop([turn, turn], { store, spending: { maxCost: 2 } });
    await allChunks(await first.send("1"));
    expect(await errorOf(await first.ask("POST", "/c1/continue", { body: {} }))).toEqual({
      status: 429,
      code: "spending_limit",
    });
    const more = openShop([turn, turn, turn, answer], { store, spending: { maxCost: 99 } });
    await more.ask("POST", "/c1/continue", { body: {} });
    const response = await more.ask("GET", "/c1/stream?ended");
    expect((await shown(more, response))[1]).toMatchObject({ state: "complete", cost: 6 });
  });

  test("counts a conversation that was cut off before it was deleted", async () => {
    const store = new MemoryStore();
    const info = {
      owner: "ann",
      state: "running",
      createdAt: 0,
      messages: 1,
      turns: 0,
      totalTokens: 0,
      cost: 3,
    } as const;
    await store.append("ann/c1", 0, [{ v: 3, type: "info", at: 0, owner: "ann" }], { info });
    const page = openShop([answer], { store, spending: { maxCost: 3 } });
    await page.ask("DELETE", "/c1");
    expect(await errorOf(await page.send("1", { chat: "c2" }))).toEqual({ status: 429, code: "spending_limit" });
  });
});

describe("a guardrail that ends a run", () => {
  const SECRET = "matches rule 17";
  const guarded = (protocol: ChatProtocol): Page => {
    const model = new ScriptedModel(say("No."));
    const check = () => ({ stop: SECRET, details: { rule: SECRET }, message: "Don't send card numbers." });
    const agent = new Agent({ model, guardrails: { input: [{ name: "cards", check }] } });
    return openPage(model, { agent, protocol });
  };

  test.each(VERSIONS)("says what its author lets people read, in version %d of the AI SDK", async (version) => {
    const page = guarded(aiSdk({ version }));
    const all = await shown(page, await page.send("4111 1111"));
    for (const metadata of all)
      expect(metadata).toMatchObject({
        state: "stopped",
        stopReason: "guardrail",
        guardrail: { name: "cards", side: "input", message: "Don't send card numbers." },
      });
    expect(JSON.stringify(all)).not.toContain(SECRET);
  });
});

describe("AG-UI tells endings apart", () => {
  const input = { threadId: "c1", runId: "r1", state: {}, tools: [], context: [], forwardedProps: {} };
  const body = { ...input, messages: [{ id: "m1", role: "user", content: "1" }] };
  /** The last event, and the activity when the messages are loaded; all that was sent. */
  async function ending(page: Page) {
    const text = await (await page.ask("POST", "", { body })).text();
    const events = text
      .split("\n\n")
      .flatMap((one) =>
        one.startsWith("data: ") ? [JSON.parse(one.slice("data: ".length)) as Record<string, unknown>] : [],
      );
    const loaded = (await (await page.ask("GET", "/c1")).json()) as {
      messages: { activityType?: string; content: unknown }[];
    };
    const activity = loaded.messages.find(({ activityType }) => activityType === "pollux.ending")?.content;
    return { end: events.at(-1), activity, all: text + JSON.stringify(loaded) };
  }

  test.each([
    ["of the run", { spending: { maxCost: 9, maxCostPerRun: 1 } }, {}, "The run reached its limit (cost)."],
    [
      "of the conversation",
      { limits: { cost: 1 } },
      { limitScope: "session" },
      "The conversation reached its limit (cost).",
    ],
    ["of the owner", { spending: { maxCost: 1 } }, { limitScope: "owner" }, "The spending limit is used up."],
  ] as const)("a limit %s", async (_whose, given, scope, message) => {
    const { end, activity } = await ending(openShop([turn, turn], { ...given, protocol: agUi() }));
    const why = { stopReason: "limit", limit: "cost", ...scope };
    expect(end).toMatchObject({ type: "RUN_ERROR", code: "limit", message, metadata: { pollux: why } });
    expect(activity).toEqual({ state: "stopped", ...why, message });
  });

  test("a guardrail, with what its author lets people read", async () => {
    const model = new ScriptedModel(say("No."));
    const check = () => ({ stop: "rule 17", details: { rule: 17 }, message: "Don't send card numbers." });
    const agent = new Agent({ model, guardrails: { input: [{ name: "cards", check }] } });
    const { end, activity, all } = await ending(openPage(model, { agent, protocol: agUi() }));
    const why = {
      stopReason: "guardrail",
      guardrail: { name: "cards", side: "input", message: "Don't send card numbers." },
    };
    const message = "Don't send card numbers.";
    expect(end).toMatchObject({ type: "RUN_ERROR", code: "guardrail", message, metadata: { pollux: why } });
    expect(activity).toEqual({ state: "stopped", ...why, message });
    expect(all).not.toContain("rule");
  });
});
