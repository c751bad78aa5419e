// How much the model thinks, and its thought summaries. The same option works on every model family: a level or a budget is converted as needed.
import { connect } from "@pollux/cli";
import { Agent } from "@pollux/core";

await using connection = await connect();
const agent = new Agent({
  model: "gemini-flash-latest",
  endpoint: connection.endpoint,
  settings: { thinking: "low", includeThoughts: true },
});

const stream = agent.stream(
  "A bat and a ball cost 1.10 together; the bat costs 1.00 more than the ball. What does the ball cost?",
);
for await (const event of stream) {
  if (event.type === "thought-delta") process.stdout.write(`(thinking) ${event.delta}\n`);
  if (event.type === "text-delta") process.stdout.write(event.delta);
}
const { usage } = await stream.result();
console.log(`\n${usage.thoughtTokens} tokens of thought`);
