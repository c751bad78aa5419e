import { Agent, type AgentOptions, defineTool, endpoint, gemini, MemoryStore, type Tool } from "@pollux/core";
import { keepExchanges } from "@pollux/core/exchanges";
import { recordedCalls, replayRun } from "@pollux/core/rehearsal";
import { call, createEmulator, type Emulator, say, script } from "@pollux/emulator";
import { toolSearch } from "@pollux/tools/tool-search";
import { expect, test } from "vitest";

const weather = (description: string): Tool =>
  defineTool({
    name: "get_weather",
    description,
    input: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    effects: "none",
    reads: "trusted",
    run: () => "9 degrees",
  });

function agentWith(tools: AgentOptions["tools"], emulator?: Emulator, observers?: AgentOptions["observers"]): Agent {
  const service = endpoint({ baseUrl: "https://generativelanguage.googleapis.com", apiKey: "emulator-key" });
  const fetch = emulator && ((...request: Parameters<typeof globalThis.fetch>) => emulator.fetch(...request));
  return new Agent({ model: gemini("gemini-3.5-flash", { endpoint: service, fetch }), tools, observers });
}

test("a run whose calls went through call_tool is made again byte by byte, also with more tools behind it", async () => {
  const [store, exchanges] = [new MemoryStore(), new MemoryStore()];
  const keeper = keepExchanges(exchanges);
  const brain = script([
    call("search_tools", { query: "weather" }),
    call("call_tool", { name: "get_weather", input: { city: "Oslo" } }),
    say("9 degrees."),
  ]);
  const tool = weather("Current weather in a city.");
  const search = { budgetTokens: 0 };
  const agent = agentWith(toolSearch([tool], search), createEmulator({ brain }), [keeper]);
  await agent.session({ id: "s", store }).send("Weather in Oslo?");
  await keeper.flush();
  const recording = { log: await store.load("s"), exchanges: await exchanges.load("s") };
  expect(recordedCalls(recording.log)).toMatchObject([
    { name: "search_tools" },
    { callId: "call:2.0", name: "get_weather", args: { city: "Oslo" }, response: { output: "9 degrees" } },
  ]);

  const now = toolSearch([weather("Says more now."), { ...tool, name: "get_forecast" }], search);
  expect(await replayRun(agentWith(now), recording)).toMatchObject({ isSame: true, requests: 3 });
  const declared = await replayRun(agentWith([tool]), recording);
  expect(declared.isSame).toBe(false);
  expect(declared.difference?.field).toMatch(/^tools/);
});
