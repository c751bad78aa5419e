import { ChatGoogle } from "@langchain/google";
import { createAgent, tool } from "langchain";
import { z } from "zod";

export const skips = ["search", "unavailable"];

export async function run({ getWeather }) {
  const schema = z.object({ city: z.string() });
  const get = tool(getWeather, { name: "get_weather", description: "Current weather in a city.", schema });
  const agent = createAgent({ model: new ChatGoogle({ model: "gemini-flash-latest", apiKey: "x" }), tools: [get] });
  const { messages } = await agent.invoke({ messages: "What is the weather in Oslo?" });
  const { text, additional_kwargs } = messages.at(-1);
  return { text, finishReason: additional_kwargs?.finishReason };
}
