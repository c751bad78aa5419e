import type { Content, FunctionDeclaration, GenerateContentResponse, JsonObject, Part } from "@pollux/core/wire";
import type { Emulator } from "@pollux/emulator";

/** The two request modes. */
export type Face = "generateContent" | "streamGenerateContent?alt=sse";

/** The result of one prompt. */
export interface Talk {
  readonly calls: readonly (readonly [name: string, args: JsonObject])[];
  readonly text: string;
  /** The conversation with this prompt and its answer, for the next one. */
  readonly contents: readonly Content[];
}

const HEADERS = { "x-goog-api-key": "emulator", "content-type": "application/json" };
const MAX_STEPS = 6;

/** Sends a prompt to the emulator and answers its calls. @returns The calls and the text. With `search`, it can also search the web. */
export async function talk(
  emulator: Emulator,
  face: Face,
  prompt: string,
  functions: readonly FunctionDeclaration[],
  answer: (name: string, args: JsonObject) => unknown,
  before: readonly Content[] = [],
  search = false,
): Promise<Talk> {
  const contents: Content[] = [...before, { role: "user", parts: [{ text: prompt }] }];
  const made: [string, JsonObject][] = [];
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const parts = await ask(emulator, face, {
      contents,
      generationConfig: { thinkingConfig: { includeThoughts: true } },
      tools: [{ functionDeclarations: functions }, ...(search ? [{ googleSearch: {} }] : [])],
      ...(search && { toolConfig: { includeServerSideToolInvocations: true } }),
    });
    contents.push({ role: "model", parts });
    const calls = parts.flatMap(({ functionCall }) => functionCall ?? []);
    if (calls.length === 0)
      return {
        calls: made,
        text: parts.map(({ text = "", thought }) => (thought === true ? "" : text)).join(""),
        contents,
      };
    for (const { name, args = {} } of calls) made.push([name, args]);
    contents.push({
      role: "user",
      parts: calls.map(({ id, name, args = {} }) => ({
        functionResponse: {
          ...(id !== undefined && { id }),
          name,
          response: { output: answer(name, args) },
        },
      })),
    });
  }
  throw new Error(`no answer after ${MAX_STEPS} steps`);
}

async function ask(emulator: Emulator, face: Face, body: object): Promise<Part[]> {
  const response = await emulator.fetch(`/v1beta/models/gemini-3.8-flash:${face}`, {
    method: "POST",
    headers: HEADERS,
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(text);
  const chunks =
    face === "generateContent" ? [text] : [...text.matchAll(/^data: (\{.*)\r?$/gm)].map(([, chunk]) => chunk ?? "");
  return chunks.flatMap(
    (chunk) => (JSON.parse(chunk) as GenerateContentResponse).candidates?.[0]?.content?.parts ?? [],
  );
}
