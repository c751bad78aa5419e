import { createGoogle } from "@ai-sdk/google";
import { Agent, run as runAgent, setTracingDisabled, tool } from "@openai/agents";
import { aisdk } from "@openai/agents-extensions/ai-sdk";
import { z } from "zod";

setTracingDisabled(true);

export async function run({ base, model, weather, search }) {
  const provider = createGoogle({ baseURL: `${base}/v1beta`, apiKey: "x" });
  const parameters = z.object({ city: z.string() });
  const agent = new Agent({
    name: "bench",
    model: aisdk(provider(model)),
    tools: [
      tool({ name: "weather", description: "Current weather in a city.", parameters, execute: weather }),
      ...(search ? [{ type: "hosted_tool", name: "google_search" }] : []),
    ],
  });
  const result = await runAgent(agent, "go", { stream: true, maxTurns: 300 });
  for await (const _event of result);
  await result.completed;
  // It has no word for how a run ended: a run that does not throw has succeeded.
  const details = () => ({ succeeded: true });
  return { text: result.finalOutput, details };
}
