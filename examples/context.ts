// One agent, many users: each run gets its own context, and its result lists what the tools did.
import { connect } from "@pollux/cli";
import { Agent, defineTool, type ToolContext } from "@pollux/core";

/** What the tools and instructions of a run get. */
interface App {
  readonly user: string;
  readonly balances: Map<string, number>;
}

await using connection = await connect();

const getBalance = defineTool({
  name: "get_balance",
  description: "The balance of the current user, in euros.",
  run: (_, { context }: ToolContext<App>) => ({ euros: context.balances.get(context.user) ?? 0 }),
});
const agent = new Agent({
  model: "gemini-flash-latest",
  endpoint: connection.endpoint,
  instructions: ({ context }) => `You are the bank of ${context.user}.`,
  tools: [getBalance],
});

const balances = new Map([
  ["ann", 120],
  ["bob", 7],
]);
for (const user of balances.keys()) {
  const { toolCalls } = await agent.run("What is my balance?", { context: { user, balances }, metadata: { user } });
  for (const call of toolCalls)
    if (call.status === "completed") console.log(`${user}: ${call.name} gave ${call.output.euros} euros`);
}
