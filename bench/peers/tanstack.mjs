import { chat, maxIterations, toolDefinition } from "@tanstack/ai";
import { createGeminiChat } from "@tanstack/ai-gemini";
import { z } from "zod";

export async function run({ base, model, weather }) {
  const inputSchema = z.object({ city: z.string() });
  const events = chat({
    adapter: createGeminiChat(model, "x", { httpOptions: { baseUrl: base } }),
    messages: [{ role: "user", content: "go" }],
    tools: [
      toolDefinition({ name: "weather", description: "Current weather in a city.", inputSchema }).server(weather),
    ],
    agentLoopStrategy: maxIterations(300),
  });
  const texts = [];
  for await (const event of events) {
    if (event.type === "TEXT_MESSAGE_CONTENT") texts.push(event.delta);
    if (event.type === "RUN_ERROR") throw new Error(event.message);
  }
  return { text: texts.join("") };
}
