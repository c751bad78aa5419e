import { createGoogle } from "@ai-sdk/google";
import { generateText, tool, ToolLoopAgent } from "ai";
import { z } from "zod";

globalThis.AI_SDK_LOG_WARNINGS = false;

export const variants = { generateText: "endless" };

export async function run({ getWeather, name }) {
  const google = createGoogle({ apiKey: "x" });
  const description = "Current weather in a city.";
  const get_weather = tool({ description, inputSchema: z.object({ city: z.string() }), execute: getWeather });
  const tools = { get_weather, ...(name === "search" && { google_search: google.tools.googleSearch({}) }) };
  const model = google("gemini-2.5-flash");
  const prompt = "What is the weather in Oslo?";
  const { text, finishReason, warnings } =
    name === "generateText"
      ? await generateText({ model, tools, prompt })
      : await new ToolLoopAgent({ model, tools }).generate({ prompt });
  return { text, finishReason, warnings };
}
