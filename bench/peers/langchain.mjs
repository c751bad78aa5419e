import { ChatGoogle } from "@langchain/google";
import { createAgent, modelRetryMiddleware, tool } from "langchain";
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

/** What is off by default and changes the outcome of a case; `tuned` switches it on. */
export const settings = {
  "retry-info": "`modelRetryMiddleware()`",
  grounded: "`invoke` instead of `stream`",
};

export function chatModel({ base, model }) {
  local = base;
  return new ChatGoogle({ model, apiKey: "x", endpoint: new URL(HOST).host });
}

export async function run({ base, model, weather, search, tuned }) {
  const schema = z.object({ city: z.string() });
  const description = "Current weather in a city.";
  const agent = createAgent({
    model: chatModel({ base, model }),
    tools: [
      tool(async (input) => JSON.stringify(await weather(input)), { name: "weather", description, schema }),
      ...(search ? [{ googleSearch: {} }] : []),
    ],
    middleware: tuned ? [modelRetryMiddleware({ maxRetries: 4, onFailure: "error" })] : [],
  });
  const input = { messages: [{ role: "user", content: "go" }] };
  let state;
  if (tuned) state = await agent.invoke(input);
  else {
    const stream = await agent.stream(input, { streamMode: ["messages", "values"], recursionLimit: 1_000 });
    for await (const [mode, value] of stream) if (mode === "values") state = value;
  }
  const last = state.messages.at(-1);
  const details = () => {
    const { finish_reason, finishReason, groundingMetadata, grounding_metadata } = last.response_metadata ?? {};
    const ending = finish_reason ?? finishReason ?? last.additional_kwargs?.finishReason;
    const found = groundingMetadata ?? grounding_metadata ?? last.additional_kwargs?.groundingMetadata;
    return {
      ending,
      succeeded: ending === "STOP",
      citations: found?.groundingSupports?.map(({ segment }) => ({
        start: segment.startIndex ?? 0,
        end: segment.endIndex,
      })),
      entryPoint: found?.searchEntryPoint?.renderedContent,
    };
  };
  return { text: last.text, details };
}
