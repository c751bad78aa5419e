import { RequestBytes } from "./request-bytes.mjs";
import { eventsOf } from "./server-sent-events.mjs";
import { weatherTool } from "./weather-tool.mjs";

/** The handwritten loop with each content serialized once; `post` sends a body and yields the response's bytes as they arrive. */
export async function converse({ base, model, weather }, post) {
  const { declaration, answer } = weatherTool();
  const request = new RequestBytes(declaration);
  request.add({ role: "user", parts: [{ text: "go" }] });
  for (;;) {
    const parts = [];
    let text = "";
    const body = await post(`${base}/v1beta/models/${model}:streamGenerateContent?alt=sse`, request.body());
    for await (const data of eventsOf(body)) {
      for (const part of JSON.parse(data).candidates[0].content.parts) {
        if (part.text === undefined) parts.push(part);
        else text += part.text;
      }
    }
    if (text !== "") parts.push({ text });
    const calls = parts.filter((part) => part.functionCall !== undefined);
    if (calls.length === 0) return { text };
    request.add({ role: "model", parts });
    const answers = await Promise.all(calls.map(({ functionCall }) => answer(functionCall, weather)));
    request.add({ role: "user", parts: answers });
  }
}
