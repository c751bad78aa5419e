import {
  FunctionTool,
  InMemoryRunner,
  LlmAgent,
  LogLevel,
  setLogLevel,
  StreamingMode,
  stringifyContent,
} from "@google/adk";
import { z } from "zod";

setLogLevel(LogLevel.ERROR);
Object.assign(process.env, { GEMINI_API_KEY: "x", GOOGLE_API_KEY: "x", GOOGLE_GENAI_API_KEY: "x" });

export const variants = { streamed: "empty" };
export const skips = ["search"];

export async function run({ getWeather, name }) {
  const tool = new FunctionTool({
    name: "get_weather",
    description: "Current weather in a city.",
    parameters: z.object({ city: z.string() }),
    execute: getWeather,
  });
  const runner = new InMemoryRunner({
    agent: new LlmAgent({ name: "guide", model: "gemini-flash-latest", tools: [tool] }),
  });
  const newMessage = { role: "user", parts: [{ text: "What is the weather in Oslo?" }] };
  const runConfig = name === "streamed" ? { streamingMode: StreamingMode.SSE } : undefined;
  let last;
  for await (const event of runner.runEphemeral({ userId: "ada", newMessage, runConfig })) last = event;
  const { errorCode, finishReason } = last;
  return { text: stringifyContent(last), errorCode, finishReason };
}
