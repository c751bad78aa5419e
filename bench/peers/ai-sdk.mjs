import { createGoogle } from "@ai-sdk/google";
import { isStepCount, tool, ToolLoopAgent } from "ai";
import { z } from "zod";

globalThis.AI_SDK_LOG_WARNINGS = false;

export async function run({ base, model, weather }) {
  const provider = createGoogle({ baseURL: `${base}/v1beta`, apiKey: "x" });
  const agent = new ToolLoopAgent({
    model: provider(model),
    tools: {
      weather: tool({
        description: "Current weather in a city.",
        inputSchema: z.object({ city: z.string() }),
        execute: weather,
      }),
    },
    stopWhen: isStepCount(300),
  });
  const result = await agent.stream({ prompt: "go" });
  await result.consumeStream();
  return { text: await result.text };
}
