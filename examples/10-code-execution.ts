// The model writes code and the service runs it.
import { connect } from "@pollux/cli";
import { Agent, codeExecution } from "@pollux/core";

await using connection = await connect();
const agent = new Agent({ model: "gemini-flash-latest", endpoint: connection.endpoint, tools: [codeExecution()] });

const stream = agent.stream("What is the sum of the first 50 prime numbers? Run code for it.");
for await (const event of stream) {
  if (event.type !== "part") continue;
  if (event.part.executableCode !== undefined) console.log(`code:\n${event.part.executableCode.code}`);
  if (event.part.codeExecutionResult !== undefined)
    console.log(`${event.part.codeExecutionResult.outcome}: ${event.part.codeExecutionResult.output}`);
}
const { text, code } = await stream.result();
console.log(text);
console.log(`${code.length} times, the last one with ${code.at(-1)?.codeExecutionResult?.outcome}`);
