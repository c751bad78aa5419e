import { GoogleGenAI } from "@google/genai";
import { z } from "zod";

export const variants = { retryOptions: "unavailableOnce", v1beta: "search" };

export async function run({ getWeather, name }) {
  const input = z.object({ city: z.string() });
  const parametersJsonSchema = z.toJSONSchema(input);
  const called = [];
  const tool = {
    tool: async () => ({
      functionDeclarations: [{ name: "get_weather", description: "Current weather in a city.", parametersJsonSchema }],
    }),
    callTool: async (calls) => {
      const answer = async ({ id, name: asked, args }) => {
        called.push(asked);
        return { functionResponse: { id, name: asked, response: { output: await getWeather(input.parse(args)) } } };
      };
      return await Promise.all(calls.map(answer));
    },
  };
  const httpOptions = {
    ...(name === "retryOptions" && { retryOptions: { attempts: 5 } }),
    ...(name === "v1beta" && { apiVersion: "v1beta" }),
  };
  const chat = new GoogleGenAI({ apiKey: "x", httpOptions }).chats.create({
    model: "gemini-flash-latest",
    config: { tools: [tool] },
  });
  const { text, candidates, promptFeedback } = await chat.sendMessage({ message: "What is the weather in Oslo?" });
  return { text, finishReason: candidates?.[0]?.finishReason, blockReason: promptFeedback?.blockReason, called };
}
