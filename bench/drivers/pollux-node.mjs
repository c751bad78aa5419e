// The same agent over the transport of "@pollux/core/node".
import { Agent, defineTool, endpoint, gemini } from "@pollux/core";
import { z } from "zod";

const { nodeTransport } = await import("@pollux/core/node");

/** Why the driver cannot take part, if it cannot. */
export const unavailable =
  nodeTransport === undefined ? "this build of @pollux/core/node has no nodeTransport" : undefined;

const fetch = nodeTransport?.();

export async function run({ base, model, weather }) {
  const agent = new Agent({
    model: gemini(model, { endpoint: endpoint({ baseUrl: base, apiKey: "x" }), fetch }),
    tools: [
      defineTool({
        name: "weather",
        description: "Current weather in a city.",
        input: z.object({ city: z.string() }),
        run: weather,
      }),
    ],
    limits: { turns: 300, toolCalls: 1_000 },
  });
  const { text } = await agent.run("go");
  return { text };
}
