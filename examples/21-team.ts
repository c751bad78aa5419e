// A team: a planner with two tools, a calculator and an agent that searches. Both run concurrently; the planner's result includes
// what the researcher found and what it cost.
import { connect } from "@pollux/cli";
import { Agent, type AgentProgress, googleSearch, renderMarkdown } from "@pollux/core";
import { calculator } from "@pollux/tools/calculator";

await using connection = await connect();
const { endpoint } = connection;

const researcher = new Agent({
  name: "researcher",
  model: "gemini-flash-latest",
  endpoint,
  instructions: "Find out what you are asked with Google Search. Answer in one or two sentences.",
  tools: [googleSearch()],
});

const planner = new Agent({
  name: "planner",
  model: "gemini-flash-latest",
  endpoint,
  instructions:
    "Let the researcher find facts and the calculator do the sums, in the same turn where you can. Quote the researcher word for word.",
  tools: [
    researcher.asTool({ description: "Researches facts on the web: opening hours, prices, distances." }),
    calculator(),
  ],
  // The researcher never gets more than what remains of these.
  limits: { totalTokens: 200_000, wallTimeMs: 120_000 },
});

const run = planner.stream(
  "Ask the researcher what a ticket for the Eiffel Tower costs, and have the calculator work out 4 * 29.40 for us.",
);
for await (const event of run) {
  if (event.type === "tool-start") console.log(`planner > ${event.call.name}`);
  if (event.type === "tool-progress") {
    // The researcher's own events; the path of its calls ends with the tool's name.
    const { path, event: inner } = event.progress as AgentProgress & { readonly event: { readonly type: string } };
    if (inner.type === "response") console.log(`planner > ${path.join(" > ")}: an answer`);
  }
  if (event.type === "tool-end" && event.outcome.ok) console.log(`${event.call.name}:`, event.outcome.output);
}

const result = await run.result();
console.log(`${result.usage.requests} requests, ${result.usage.totalTokens} tokens, including the researcher's`);
console.log(renderMarkdown(result));
