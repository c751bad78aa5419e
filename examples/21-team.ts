// A team: a planner whose tools are an agent that searches and a calculator. Both work side by side; what the researcher found
// and what it cost are in the planner's result.
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
  // The researcher never gets more of these than the planner has left.
  limits: { totalTokens: 200_000, wallTimeMs: 120_000 },
});

const run = planner.stream(
  "Ask the researcher what a ticket for the Eiffel Tower costs, and have the calculator work out 4 * 29.40 for us.",
);
for await (const event of run) {
  if (event.type === "tool-start") console.log(`planner > ${event.call.name}`);
  if (event.type === "tool-progress") {
    // The researcher's own events; a tool's name is at the end of the path of its calls.
    const { path, event: inner } = event.progress as AgentProgress & { readonly event: { readonly type: string } };
    if (inner.type === "response") console.log(`planner > ${path.join(" > ")}: an answer`);
  }
  if (event.type === "tool-end" && event.outcome.ok) console.log(`${event.call.name}:`, event.outcome.output);
}

const result = await run.result();
console.log(`${result.usage.requests} requests, ${result.usage.totalTokens} tokens, those of the researcher included`);
console.log(renderMarkdown(result));
