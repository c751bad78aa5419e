import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { z } from "zod";
import type { Ask, Client, Service } from "./client.ts";
import { geminiCli } from "./gemini-cli-program.ts";

/** Google's coding agent, through its command line; in `gemini-cli.system.test.ts`, it does a task with its own tools. */
export const GEMINI_CLI: Client = {
  name: "@google/gemini-cli",
  surface: "v1beta",
  async text(at, ask) {
    const printed = JSON.parse(await print(at, ask, "json")) as {
      readonly response: string;
      readonly stats: { readonly models: Record<string, { readonly tokens: { readonly prompt: number } }> };
    };
    return { text: printed.response, inputTokens: printed.stats.models[at.model]?.tokens.prompt };
  },
  async stream(at, ask) {
    const events = (await print(at, ask, "stream-json")).trim().split("\n");
    return events.flatMap((line) => {
      const event = JSON.parse(line) as { readonly role?: string; readonly delta?: boolean; readonly content?: string };
      return event.role === "assistant" && event.delta === true ? [event.content ?? ""] : [];
    });
  },
  async functions(at, prompt, tools) {
    // The program runs a command for each call; this command sends the call to the test, which has the functions.
    const server = createServer((request, response) => {
      void textOf(request).then((args) => {
        const tool = tools.find(({ name }) => request.url === `/${name}`);
        response.end(JSON.stringify(tool?.run(JSON.parse(args) as Record<string, unknown>)));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const ask = `import { text } from "node:stream/consumers";
const body = await text(process.stdin);
process.stdout.write(await (await fetch("http://127.0.0.1:${port}/" + process.argv[2], { method: "POST", body })).text());`;
    try {
      using program = geminiCli(at, { tools: { discoveryCommand: "cat tools.json", callCommand: "./call.mjs" } });
      const declared = tools.map(({ name, description, schema }) => ({
        name,
        description,
        parametersJsonSchema: z.toJSONSchema(schema),
      }));
      writeFileSync(join(program.work, "tools.json"), JSON.stringify([{ function_declarations: declared }]));
      writeFileSync(join(program.work, "call.mjs"), `#!${process.execPath}\n${ask}\n`, { mode: 0o755 });
      return (await program.gemini(["-p", prompt, "-m", at.model])).trim();
    } finally {
      server.close();
    }
  },
  output: { no: "prints text" },
  embeddings: { no: "embeds nothing" },
  tokens: { no: "only counts what it used" },
  files: { no: "sends bytes inline" },
  caches: { no: "makes none" },
  waitsForQuota: true,
};

async function print(at: Service, { prompt, system, maxOutputTokens }: Ask, format: string): Promise<string> {
  const override = { match: { model: at.model }, modelConfig: { generateContentConfig: { maxOutputTokens } } };
  using program = geminiCli(at, { modelConfigs: { customOverrides: [override] } });
  const instructions = join(program.work, "system.md");
  writeFileSync(instructions, system ?? "");
  return await program.gemini(["-p", prompt, "-m", at.model, "--output-format", format], {
    GEMINI_SYSTEM_MD: instructions,
  });
}
