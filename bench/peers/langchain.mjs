import { ChatGoogle } from "@langchain/google";
import { createAgent, tool } from "langchain";
import { z } from "zod";

// The model accepts only a host as its endpoint, without scheme and path: requests to this one go to the local server.
const HOST = "https://pollux-bench.invalid";
const platformFetch = globalThis.fetch;
let local;
globalThis.fetch = (input, init) => {
  const url = input instanceof Request ? input.url : String(input);
  if (!url.startsWith(HOST)) return platformFetch(input, init);
  const target = local + url.slice(HOST.length);
  return platformFetch(input instanceof Request ? new Request(target, input) : target, init);
};

export async function run({ base, model, weather }) {
  local = base;
  const schema = z.object({ city: z.string() });
  const description = "Current weather in a city.";
  const agent = createAgent({
    model: new ChatGoogle({ model, apiKey: "x", endpoint: new URL(HOST).host }),
    tools: [tool(async (input) => JSON.stringify(await weather(input)), { name: "weather", description, schema })],
  });
  const input = { messages: [{ role: "user", content: "go" }] };
  let state;
  const stream = await agent.stream(input, { streamMode: ["messages", "values"], recursionLimit: 1_000 });
  for await (const [mode, value] of stream) if (mode === "values") state = value;
  return { text: state.messages.at(-1).text };
}
