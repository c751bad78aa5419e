// Text as it arrives.
import { connect } from "@pollux/cli";
import { Agent } from "@pollux/core";

await using connection = await connect();
const agent = new Agent({ model: "gemini-flash-latest", endpoint: connection.endpoint });

const stream = agent.stream("Tell me a short story about a lighthouse.");
for await (const text of stream.textStream) process.stdout.write(text);
const { usage } = await stream.result();
console.log(`\n${usage.totalTokens} tokens`);
