import { createGoogle } from "@ai-sdk/google";
import { Agent, run as runAgent, setTracingDisabled, tool } from "@openai/agents";
import { aisdk } from "@openai/agents-extensions/ai-sdk";
import { z } from "zod";

setTracingDisabled(true);

export const skips = ["search"];

export async function run({ getWeather }) {
  const get = tool({
    name: "get_weather",
    description: "Current weather in a city.",
    parameters: z.object({ city: z.string() }),
    execute: getWeather,
  });
  const model = aisdk(createGoogle({ apiKey: "x" })("gemini-flash-latest"));
  const { finalOutput } = await runAgent(
    new Agent({ name: "guide", model, tools: [get] }),
    "What is the weather in Oslo?",
  );
  return { text: finalOutput };
}
