import { FunctionTool, InMemoryRunner, LlmAgent, LogLevel, setLogLevel, StreamingMode } from "@google/adk";
import { z } from "zod";

setLogLevel(LogLevel.ERROR);
Object.assign(process.env, { GEMINI_API_KEY: "x", GOOGLE_API_KEY: "x", GOOGLE_GENAI_API_KEY: "x" });

export async function run({ base, model, weather }) {
  process.env.GOOGLE_GEMINI_BASE_URL = base;
  const parameters = z.object({ city: z.string() });
  const tool = new FunctionTool({
    name: "weather",
    description: "Current weather in a city.",
    parameters,
    execute: weather,
  });
  const agent = new LlmAgent({ name: "bench", model, instruction: "", tools: [tool] });
  const runner = new InMemoryRunner({ agent, appName: "bench" });
  const session = await runner.sessionService.createSession({ appName: "bench", userId: "user" });
  const events = runner.runAsync({
    userId: "user",
    sessionId: session.id,
    newMessage: { role: "user", parts: [{ text: "go" }] },
    runConfig: { streamingMode: StreamingMode.SSE, maxLlmCalls: 300 },
  });
  const texts = [];
  for await (const { content, partial } of events) {
    if (partial) continue;
    for (const { text, thought } of content?.parts ?? []) if (text && !thought) texts.push(text);
  }
  return { text: texts.join("") };
}
