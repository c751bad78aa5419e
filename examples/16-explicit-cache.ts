// A long text and the agent's own tools in an explicit cache: sent once, used by many requests. CometAPI has no caches.
import { connect } from "@pollux/cli";
import { Agent, defineTool } from "@pollux/core";
import { caches } from "@pollux/core/resources";
import { z } from "zod";

await using connection = await connect();
const { endpoint } = connection;

const logbook = Array.from(
  { length: 400 },
  (_, day) =>
    `Day ${day + 1}: wind ${(day * 7) % 60} km/h, ${(day * 3) % 11} ships passed, the lamp burned ${day % 14} hours.`,
).join("\n");

const toKnots = defineTool({
  name: "to_knots",
  description: "Turns km/h into knots.",
  input: z.object({ kmh: z.number() }),
  run: ({ kmh }) => ({ knots: Math.round(kmh * 0.54) }),
});

const agent = new Agent({
  model: "gemini-3.8-flash",
  endpoint,
  instructions: "You answer from the lighthouse's logbook.",
  tools: [toKnots],
});

const cache = await agent.createCache(logbook, { ttlSeconds: 600, displayName: "logbook" });
console.log(`${cache.name} holds ${cache.totalTokens} tokens until ${cache.expireTime}`);

for (const question of ["On which day did most ships pass?", "How many knots of wind were there on day 8?"]) {
  const { text, usage } = await agent.run(question, { settings: { cachedContent: cache } });
  console.log(`${usage.cachedTokens} of ${usage.inputTokens} input tokens came from the cache: ${text}`);
}

const store = caches({ endpoint });
const extended = await store.extend(cache, { ttlSeconds: 3600 });
console.log(`now until ${extended.expireTime}`);
await store.delete(cache);
console.log("deleted");
