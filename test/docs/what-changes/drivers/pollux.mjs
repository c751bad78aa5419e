import { Agent, defineTool, endpoint, gemini, googleSearch, ToolError } from "@pollux/core";
import { z } from "zod";

export const variants = { failure: "throws", repeated: "repeated" };

export async function run({ getWeather, name }) {
  const service = { endpoint: endpoint({ baseUrl: "https://service.example", apiKey: "x" }), fetch: globalThis.fetch };
  const tool = defineTool({
    name: "get_weather",
    description: "Current weather in a city.",
    input: z.object({ city: z.string() }),
    run: async (input) => {
      if (name === "failure") throw new ToolError("The weather station is on fire.");
      return await getWeather(input);
    },
  });
  const agent = new Agent({
    model: gemini(name === "search" ? "gemini-2.5-flash" : "gemini-3.5-flash", service),
    tools: [tool, ...(name === "search" ? [googleSearch()] : [])],
  });
  const { text, stopReason, turns } = await agent.run("What is the weather in Oslo?");
  return { text, stopReason, turns };
}
