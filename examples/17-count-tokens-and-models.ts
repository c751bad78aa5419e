// The size of a request before it is sent, and the list of models. Not through CometAPI, which documents neither.
import { connect } from "@pollux/cli";
import { Agent, defineTool } from "@pollux/core";
import { listModels } from "@pollux/core/resources";
import { z } from "zod";

await using connection = await connect();
const { endpoint } = connection;

const getTide = defineTool({
  name: "get_tide",
  description: "Height of the tide in a harbor, in meters above the chart datum.",
  input: z.object({ harbor: z.string() }),
  run: () => ({ meters: 2.1 }),
});
const agent = new Agent({ model: "gemini-flash-latest", endpoint, instructions: "You are a pilot.", tools: [getTide] });

const question = "Can I enter Brest at noon with a draft of three meters?";
const whole = await agent.countTokens(question);
const bare = await agent.countTokens(question, { instructions: "", tools: [] });
console.log(`${whole.totalTokens} tokens, ${whole.totalTokens - bare.totalTokens} of them instructions and tools`);

for await (const { id, inputTokenLimit, supportedGenerationMethods, capabilities } of listModels({ endpoint })) {
  if (!supportedGenerationMethods?.includes("generateContent") || !capabilities.builtInsWithFunctions) continue;
  console.log(`${id}: ${inputTokenLimit} tokens of input, thinks by ${capabilities.thinking}`);
}
