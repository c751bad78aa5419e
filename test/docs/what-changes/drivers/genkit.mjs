import { googleAI } from "@genkit-ai/google-genai";
import { genkit, z } from "genkit";

export const skips = ["search"];

export async function run({ getWeather }) {
  const ai = genkit({ plugins: [googleAI({ apiKey: "x" })], model: googleAI.model("gemini-flash-latest") });
  const inputSchema = z.object({ city: z.string() });
  const tool = ai.defineTool(
    { name: "get_weather", description: "Current weather in a city.", inputSchema },
    getWeather,
  );
  const { text, finishReason } = await ai.generate({ prompt: "What is the weather in Oslo?", tools: [tool] });
  return { text, finishReason };
}
