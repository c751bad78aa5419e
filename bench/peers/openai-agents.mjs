import { createGoogle } from "@ai-sdk/google";
import { Agent, retryPolicies, run as runAgent, setTracingDisabled, tool } from "@openai/agents";
import { aisdk } from "@openai/agents-extensions/ai-sdk";
import { z } from "zod";

setTracingDisabled(true);
const RETRIED = retryPolicies.any(retryPolicies.providerSuggested(), retryPolicies.httpStatus([429, 503]));

/** What is off by default and changes the outcome of a case; `tuned` switches it on. */
export const settings = {
  unavailable: "`modelSettings.retry`",
  "retry-info": "`modelSettings.retry`",
  "unknown-tool": "`toolNotFoundBehavior`",
  "search-3": '`createGoogle({ name: "google" })`',
  "search-2": '`createGoogle({ name: "google" })`',
  grounded: '`createGoogle({ name: "google" })`',
};

export async function run({ base, model, weather, search, tuned, turns = 300 }) {
  const provider = createGoogle({ baseURL: `${base}/v1beta`, apiKey: "x", ...(tuned && { name: "google" }) });
  const parameters = z.object({ city: z.string() });
  const agent = new Agent({
    name: "bench",
    model: aisdk(provider(model)),
    tools: [
      tool({ name: "weather", description: "Current weather in a city.", parameters, execute: weather }),
      ...(search ? [{ type: "hosted_tool", name: "google_search" }] : []),
    ],
    ...(tuned && { modelSettings: { retry: { maxRetries: 4, policy: RETRIED } } }),
  });
  const result = await runAgent(agent, "go", {
    stream: true,
    maxTurns: turns,
    ...(tuned && { toolNotFoundBehavior: "return_error_to_model" }),
  });
  for await (const _event of result);
  await result.completed;
  // It has no word for how a run ended: a run that does not throw has succeeded.
  const details = () => ({ succeeded: true });
  return { text: result.finalOutput, details };
}
