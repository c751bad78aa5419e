// What a run costs, request by request: how much was read from the service's cache, and the price.
import { connect } from "@pollux/cli";
import { Agent, computeCost, defineTool, type Prices } from "@pollux/core";
import { z } from "zod";

await using connection = await connect();

// Per 1,000,000 tokens, and per Google Search query. Look up the prices of your model: they change.
const prices: Prices = { input: 0.3, cachedInput: 0.03, output: 2.5, searchQuery: 0.014 };

const readLog = defineTool({
  name: "read_log",
  description: "Reads one day of the lighthouse's log.",
  input: z.object({ day: z.number().int().min(1).max(365) }),
  run: ({ day }) => `Day ${day}: wind ${(day * 7) % 60} km/h, ${(day * 3) % 11} ships passed.`,
});

// Long enough for the service to cache: 1,024 to 6,144 tokens, depending on the model.
const rules = Array.from(
  { length: 400 },
  (_, rule) => `Rule ${rule + 1}: when the wind is over ${rule} km/h, the keeper writes down ${rule % 7} things more.`,
).join("\n");

const agent = new Agent({
  model: "gemini-3.8-flash",
  endpoint: connection.endpoint,
  instructions: `You keep a lighthouse. These are its rules.\n${rules}`,
  tools: [readLog],
  settings: { thinking: "low" },
  prices,
  limits: { turns: 10, cost: 0.5 },
});

const chat = agent.chat();
let total = 0;
for (const question of ["How was the wind on day 8?", "And on day 9?", "Which of the two was calmer?"]) {
  console.log(`\n${question}\n  prompt  cached  output   money`);
  const run = chat.stream(question);
  for await (const event of run) {
    if (event.type !== "response") continue;
    const { inputTokens, cachedTokens, outputTokens, thoughtTokens } = event.response.usage;
    const money = computeCost(event.response.usage, prices).toFixed(6);
    const [prompt, cached, output] = [inputTokens, cachedTokens, outputTokens + thoughtTokens].map((tokens) =>
      String(tokens).padStart(8),
    );
    console.log(`${prompt}${cached}${output}  ${money}`);
  }
  const { cost = 0, text } = await run.result();
  total += cost;
  console.log(text.split("\n", 1)[0]);
}

const { inputTokens, cachedTokens, requests } = chat.usage;
const withoutCache = computeCost(chat.usage, { ...prices, cachedInput: prices.input });
console.log(`\n${requests} requests: ${cachedTokens} of ${inputTokens} prompt tokens came from the cache`);
console.log(`${total.toFixed(6)} in all; it would have been ${withoutCache.toFixed(6)} without the cache`);
