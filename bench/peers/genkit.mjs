import { googleAI } from "@genkit-ai/google-genai";
import { genkit, z } from "genkit";
import { retry } from "genkit/model/middleware";

/** What is off by default and changes the outcome of a case; `tuned` switches it on. */
export const settings = {
  unavailable: "the middleware `retry()`",
  "retry-info": "the middleware `retry()`",
};

export async function run({ base, model, weather, search, tuned }) {
  const ai = genkit({ plugins: [googleAI({ apiKey: "x", baseUrl: base })] });
  const inputSchema = z.object({ city: z.string() });
  const tool = ai.defineTool({ name: "weather", description: "Current weather in a city.", inputSchema }, weather);
  const { stream, response } = ai.generateStream({
    model: googleAI.model(model),
    prompt: "go",
    tools: [tool],
    maxTurns: 300,
    ...(tuned && { use: [retry()] }),
    ...(search && { config: { googleSearch: {}, toolConfig: { includeServerSideToolInvocations: true } } }),
  });
  for await (const _chunk of stream);
  const result = await response;
  const details = () => {
    const found = result.custom?.candidates?.[0]?.groundingMetadata;
    return {
      ending: result.finishReason,
      succeeded: result.finishReason === "stop",
      citations: found?.groundingSupports?.map(({ segment }) => ({
        start: segment.startIndex ?? 0,
        end: segment.endIndex,
      })),
      entryPoint: found?.searchEntryPoint?.renderedContent,
    };
  };
  return { text: result.text, details };
}
