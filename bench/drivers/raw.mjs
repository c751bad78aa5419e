// What a careful developer writes by hand: one fetch per turn, the whole body as JSON, a handwritten event parser, zod for arguments.
import { eventsOf } from "./server-sent-events.mjs";
import { weatherTool } from "./weather-tool.mjs";

export async function run({ base, model, weather, unary }) {
  const { declaration, answer } = weatherTool();
  const method = unary ? "generateContent" : "streamGenerateContent?alt=sse";
  const contents = [{ role: "user", parts: [{ text: "go" }] }];
  for (;;) {
    const response = await fetch(`${base}/v1beta/models/${model}:${method}`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-goog-api-key": "x" },
      body: JSON.stringify({ tools: [{ functionDeclarations: [declaration] }], contents }),
    });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const parts = [];
    let text = "";
    const take = (chunk) => {
      for (const part of chunk.candidates[0].content.parts) {
        if (part.text === undefined) parts.push(part);
        else text += part.text;
      }
    };
    if (unary) take(await response.json());
    else for await (const data of eventsOf(response.body)) take(JSON.parse(data));
    if (text !== "") parts.push({ text });
    contents.push({ role: "model", parts });
    const calls = parts.filter((part) => part.functionCall !== undefined);
    if (calls.length === 0) return { text };
    const answers = await Promise.all(calls.map(({ functionCall }) => answer(functionCall, weather)));
    contents.push({ role: "user", parts: answers });
  }
}
