import { googleAI } from "@genkit-ai/google-genai";
import { genkit, z } from "genkit";

export async function run({ base, model, weather }) {
  const ai = genkit({ plugins: [googleAI({ apiKey: "x", baseUrl: base })] });
  const inputSchema = z.object({ city: z.string() });
  const tool = ai.defineTool({ name: "weather", description: "Current weather in a city.", inputSchema }, weather);
  const { stream, response } = ai.generateStream({
    model: googleAI.model(model),
    prompt: "go",
    tools: [tool],
    maxTurns: 300,
  });
  for await (const _chunk of stream);
  return { text: (await response).text };
}
