// One agent run, streamed, with everything a user would build per agent built inside `run`.
import { Agent, defineTool, endpoint, gemini, googleSearch } from "@pollux/core";
import { z } from "zod";

/** @param httpClient HTTP client for requests; on Node, `node:http` by default. */
export async function run({ base, model, weather, unary, httpClient, search }) {
  const agent = new Agent({
    model: gemini(model, {
      endpoint: endpoint({ baseUrl: base, apiKey: "x" }),
      httpClient,
      transport: unary ? "unary" : "stream",
    }),
    tools: [
      defineTool({
        name: "weather",
        description: "Current weather in a city.",
        input: z.object({ city: z.string() }),
        run: weather,
      }),
      ...(search ? [googleSearch()] : []),
    ],
    prices: search ? { input: 1, output: 1, searchQuery: 0.014 } : undefined,
    limits: { turns: 300, toolCalls: 1_000 },
  });
  const result = await agent.run("go");
  const details = () => ({
    ending: result.stopReason,
    succeeded: result.stopReason === "finished",
    citations: result.citations,
    entryPoint: result.searchEntryPoints[0],
    cost: result.cost,
  });
  return { text: result.text, details };
}
