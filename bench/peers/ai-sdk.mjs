import { createGoogle } from "@ai-sdk/google";
import { isStepCount, tool, ToolLoopAgent } from "ai";
import { z } from "zod";

globalThis.AI_SDK_LOG_WARNINGS = false;

export async function run({ base, model, weather, search }) {
  const provider = createGoogle({ baseURL: `${base}/v1beta`, apiKey: "x" });
  const agent = new ToolLoopAgent({
    model: provider(model),
    tools: {
      weather: tool({
        description: "Current weather in a city.",
        inputSchema: z.object({ city: z.string() }),
        execute: weather,
      }),
      ...(search && { google_search: provider.tools.googleSearch({}) }),
    },
    stopWhen: isStepCount(300),
  });
  const result = await agent.stream({ prompt: "go" });
  const failures = [];
  await result.consumeStream({ onError: (error) => failures.push(error) });
  if (failures.length > 0) return Promise.reject(failures[0]);
  const details = async () => {
    const ending = await result.finishReason;
    const found = (await result.providerMetadata)?.google?.groundingMetadata;
    const citations = found?.groundingSupports?.map(({ segment }) => ({
      start: segment.startIndex ?? 0,
      end: segment.endIndex,
    }));
    return { ending, succeeded: ending === "stop", citations, entryPoint: found?.searchEntryPoint?.renderedContent };
  };
  return { text: await result.text, details };
}
