// Tools over MCP, both ways: this program serves a tool to any MCP client, and an agent uses it through an MCP connection.
import { fileURLToPath } from "node:url";
import { connect } from "@pollux/cli";
import { Agent, defineTool } from "@pollux/core";
import { mcpTools } from "@pollux/tools/mcp";
import { serveMcp } from "@pollux/tools/mcp-server";
import { z } from "zod";

const getWeather = defineTool({
  name: "get_weather",
  description: "Current weather in a city.",
  effects: "none",
  input: z.object({ city: z.string() }),
  run: ({ city }) => ({ city, celsius: 9 }),
});

if (process.argv[2] === "serve")
  await serveMcp([getWeather], { transport: "stdio", name: "weather", version: "1.0.0" });
else await ask("What is the weather in Oslo?");

async function ask(question: string): Promise<void> {
  await using connection = await connect();
  // This could be any command that speaks MCP over stdio; here it is the program itself.
  const program = fileURLToPath(import.meta.url);
  await using server = await mcpTools(
    { command: process.execPath, args: [...process.execArgv, program, "serve"] },
    { prefix: "mcp" },
  );
  for (const [name, original] of server.names) console.log(`${name} is ${original} of the server`);

  const agent = new Agent({
    model: "gemini-flash-latest",
    endpoint: connection.endpoint,
    // A function, called at the start of each run, so that changes to the server's list take effect.
    tools: () => server.tools,
  });
  const run = agent.stream(question);
  for await (const event of run) {
    if (event.type !== "tool-end") continue;
    console.log(event.call.name, event.outcome.ok ? event.outcome.output : event.outcome.message);
  }
  console.log((await run.result()).text);
}
