import type { GenerateContentResponse } from "@pollux/core/wire";
import type { Emulator } from "../src/index.ts";

export const MODEL = "gemini-3.8-flash";

/** Sends a body to a method of a model, with a key. */
export function post(emulator: Emulator, method: string, body: unknown, model: string = MODEL): Promise<Response> {
  const headers = { "x-goog-api-key": "emulator", "content-type": "application/json" };
  return emulator.fetch(`/v1beta/models/${model}:${method}`, { method: "POST", headers, body: JSON.stringify(body) });
}

/** A request with one user text and any other fields. */
export function ask(prompt: string, more: object = {}): { contents: object[] } {
  return { contents: [{ role: "user", parts: [{ text: prompt }] }], ...more };
}

/** The unary answer; fails on any other status than 200. */
export async function unary(emulator: Emulator, body: unknown, model?: string): Promise<GenerateContentResponse> {
  const response = await post(emulator, "generateContent", body, model);
  const text = await response.text();
  if (response.status !== 200) throw new Error(text);
  return JSON.parse(text) as GenerateContentResponse;
}

/** The chunks of a stream; fails on any other status than 200. */
export async function streamed(emulator: Emulator, body: unknown, model?: string): Promise<GenerateContentResponse[]> {
  const response = await post(emulator, "streamGenerateContent?alt=sse", body, model);
  const text = await response.text();
  if (response.status !== 200) throw new Error(text);
  return eventsIn(text);
}

/** The objects of an event stream. */
export function eventsIn(text: string): GenerateContentResponse[] {
  return [...text.matchAll(/^data: (\{.*)\r?$/gm)].map(([, json]) => JSON.parse(json ?? "") as GenerateContentResponse);
}

/** Parts of the first candidate, over all chunks. */
export function partsOf(
  ...chunks: readonly GenerateContentResponse[]
): NonNullable<NonNullable<GenerateContentResponse["candidates"]>[0]["content"]>["parts"] & object {
  return chunks.flatMap((chunk) => chunk.candidates?.[0]?.content?.parts ?? []);
}

/** Visible text of the first candidate, over all chunks. */
export function textOf(...chunks: readonly GenerateContentResponse[]): string {
  return partsOf(...chunks)
    .filter((part) => part.thought !== true)
    .map((part) => part.text ?? "")
    .join("");
}

export const WEATHER = {
  functionDeclarations: [
    {
      name: "get_weather",
      description: "Current weather in a city.",
      parametersJsonSchema: {
        type: "object",
        properties: { city: { type: "string", description: "City name" } },
        required: ["city"],
      },
    },
  ],
};
