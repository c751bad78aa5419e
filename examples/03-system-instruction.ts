// Instructions for every run of an agent.
import { connect } from "@pollux/cli";
import { Agent } from "@pollux/core";

await using connection = await connect();
const agent = new Agent({
  model: "gemini-flash-latest",
  endpoint: connection.endpoint,
  instructions: "You are a harbor master. Answer in at most two sentences.",
});

console.log((await agent.run("May I moor here tonight?")).text);
