import { createGoogle } from "@ai-sdk/google";
import { Agent } from "@mastra/core/agent";
import { createTool } from "@mastra/core/tools";
import { z } from "zod";

export async function run({ base, model, weather }) {
  const provider = createGoogle({ baseURL: `${base}/v1beta`, apiKey: "x" });
  const tool = createTool({
    id: "weather",
    description: "Current weather in a city.",
    inputSchema: z.object({ city: z.string() }),
    execute: weather,
  });
  const agent = new Agent({
    id: "bench",
    name: "bench",
    instructions: "",
    model: provider(model),
    tools: { weather: tool },
  });
  const result = await agent.stream("go", { maxSteps: 300 });
  for await (const _chunk of result.fullStream);
  return { text: await result.text };
}
