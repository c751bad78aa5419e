import { GoogleGenAI } from "@google/genai";
import { z } from "zod";

/** What is off by default and changes the outcome of a case; `tuned` switches it on. */
export const settings = {
  unavailable: "`httpOptions.retryOptions`",
  "retry-info": "`httpOptions.retryOptions`",
};

// Its automatic function calling works with streaming if it gets a callable tool, which declares and calls functions itself.
export async function run({ base, model, weather, search, tuned }) {
  const input = z.object({ city: z.string() });
  const declaration = {
    name: "weather",
    description: "Current weather in a city.",
    parametersJsonSchema: z.toJSONSchema(input),
  };
  const tool = {
    async tool() {
      return { functionDeclarations: [declaration] };
    },
    async callTool(calls) {
      const answer = async ({ id, name, args }) => {
        const output = await weather(input.parse(args));
        return { functionResponse: { id, name, response: { output } } };
      };
      return await Promise.all(calls.map(answer));
    },
  };
  const httpOptions = { baseUrl: base, apiVersion: "v1beta", ...(tuned && { retryOptions: { attempts: 5 } }) };
  const client = new GoogleGenAI({ apiKey: "x", httpOptions });
  const config = {
    tools: [tool, ...(search ? [{ googleSearch: {} }] : [])],
    ...(search && { toolConfig: { includeServerSideToolInvocations: true } }),
    automaticFunctionCalling: { maximumRemoteCalls: 300 },
  };
  const stream = await client.chats.create({ model, config }).sendMessageStream({ message: "go" });
  const texts = [];
  let ending;
  let found;
  for await (const { candidates, promptFeedback } of stream) {
    ending = candidates?.[0]?.finishReason ?? promptFeedback?.blockReason ?? ending;
    found = candidates?.[0]?.groundingMetadata ?? found;
    for (const { text, thought } of candidates?.[0]?.content?.parts ?? []) if (text && !thought) texts.push(text);
  }
  const details = () => ({
    ending,
    succeeded: ending === "STOP",
    citations: found?.groundingSupports?.map(({ segment }) => ({
      start: segment.startIndex ?? 0,
      end: segment.endIndex,
    })),
    entryPoint: found?.searchEntryPoint?.renderedContent,
  });
  return { text: texts.join(""), details };
}
