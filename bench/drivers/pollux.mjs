// One agent run, streamed, with everything a user would build per agent built inside `run`.
import { Agent, defineTool, endpoint, gemini } from "@pollux/core";
import { z } from "zod";

/** @param httpClient HTTP client for requests; on Node, `node:http` by default. */
export async function run({ base, model, weather, unary, httpClient }) {
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
    ],
    limits: { turns: 300, toolCalls: 1_000 },
  });
  const { text } = await agent.run("go");
  return { text };
}
