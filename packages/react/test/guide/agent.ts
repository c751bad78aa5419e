import { Agent, defineTool } from "@pollux/core";
import type { InferUIMessage } from "@pollux/web/ai-sdk";
import { z } from "zod";

const getWeather = defineTool({
  name: "get_weather",
  description: "The weather in a city.",
  input: z.object({ city: z.string() }),
  run: ({ city }) => ({ city, celsius: 21 }),
});

export const agent = new Agent({ model: "gemini-flash-latest", tools: [getWeather] });

/** As the server's file with the agent exports it. */
export type ChatMessage = InferUIMessage<typeof agent, 7>;
