// All that an MCP server has: a prompt that the person picks, a resource that the model reads, and a tool that asks the person back.
import { stdin, stdout } from "node:process";
import { createInterface } from "node:readline/promises";
import { fileURLToPath } from "node:url";
import { acceptedContent, inputRequired, McpServer } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { connect } from "@pollux/cli";
import { Agent } from "@pollux/core";
import { elicitByAsking, mcpTools } from "@pollux/tools/mcp";
import { z } from "zod";

if (process.argv[2] === "serve") serveStdio(restaurant);
else await dine("Ann");

async function dine(guest: string): Promise<void> {
  await using connection = await connect();
  // Any server of anybody; here it is the program itself.
  const args = [...process.execArgv, fileURLToPath(import.meta.url), "serve"];
  await using server = await mcpTools({ command: process.execPath, args }, { onElicit: elicitByAsking(ask) });

  for (const { name, description } of await server.prompts()) console.log(`/${name}: ${description}`);
  const [evening] = await server.prompt("evening", { guest });
  const menu = await server.read("menu://today");
  console.log("menu:", ...menu);

  const agent = new Agent({
    model: "gemini-flash-latest",
    endpoint: connection.endpoint,
    tools: () => server.tools,
    // The menu is untrusted text, so a call after it waits for approval.
    approve: async ({ call }) => (await ask({ question: `May it ${call.name}?`, choices: ["yes", "no"] })) === "yes",
  });
  const message = [...(evening?.parts ?? []), ...menu];
  const { toolCalls, text } = await agent.run(message, { reads: server.reads });
  for (const call of toolCalls) console.log(`${call.name}:`, call.status === "completed" ? call.output : call.status);
  console.log(text);
}

/** Asks in the terminal; without one, takes the first choice. */
async function ask({
  question,
  choices = [],
}: {
  question: string;
  choices?: readonly string[] | undefined;
}): Promise<string> {
  console.log(question, choices);
  if (!stdin.isTTY) return choices[0] ?? "";
  const lines = createInterface({ input: stdin, output: stdout });
  try {
    return await lines.question("> ");
  } finally {
    lines.close();
  }
}

function restaurant(): McpServer {
  const server = new McpServer({ name: "restaurant", version: "1.0.0" });
  server.registerPrompt(
    "evening",
    { description: "Plans an evening.", argsSchema: z.object({ guest: z.string() }) },
    ({ guest }) => ({
      messages: [
        { role: "user", content: { type: "text", text: `Please reserve_table for ${guest}, and pick a dish.` } },
      ],
    }),
  );
  server.registerResource("menu", "menu://today", { mimeType: "text/plain" }, (uri) => ({
    contents: [{ uri: uri.href, text: "Cod with potatoes, 24 euros" }],
  }));
  const place = z.object({ place: z.enum(["window", "garden"]) });
  server.registerTool("reserve_table", { description: "Reserves a table for tonight." }, ({ mcpReq }) => {
    if (mcpReq.inputResponses === undefined)
      return inputRequired({
        inputRequests: {
          place: inputRequired.elicit({ message: "Where would you like to sit?", requestedSchema: place }),
        },
      });
    const chosen = acceptedContent(mcpReq.inputResponses, "place", place);
    const text = chosen === undefined ? "No table is reserved." : `A table is reserved: ${chosen.place}.`;
    return { content: [{ type: "text", text }] };
  });
  return server;
}
