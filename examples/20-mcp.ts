// Tools over MCP, both ways: this program serves one to any MCP client, and an agent uses it as a server's client.
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
  // Any command that speaks MCP over stdio can stand here; this one is the program itself.
  const program = fileURLToPath(import.meta.url);
  await using server = await mcpTools(
    { command: process.execPath, args: [...process.execArgv, program, "serve"] },
    { prefix: "mcp" },
  );
  for (const [name, original] of server.names) console.log(`${name} is ${original} of the server`);

  const agent = new Agent({
    model: "gemini-flash-latest",
    endpoint: connection.endpoint,
    // Asked when a run begins, so a list that the server has changed is honoured.
    tools: () => server.tools,
  });
  const run = agent.stream(question);
  for await (const event of run) {
    if (event.type !== "tool-end") continue;
    console.log(event.call.name, event.outcome.ok ? event.outcome.output : event.outcome.message);
  }
  console.log((await run.result()).text);
}
