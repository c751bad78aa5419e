// One question, one answer.
import { connect } from "@pollux/cli";
import { Agent } from "@pollux/core";

await using connection = await connect();
const agent = new Agent({ model: "gemini-flash-latest", endpoint: connection.endpoint });

const result = await agent.run("Why is the sky blue? One sentence.");
console.log(result.stopReason, "after", result.turns, "turn:", result.text);
