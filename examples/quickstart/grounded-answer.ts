import { fileURLToPath } from "node:url";
import { Agent, type Content, type Endpoint, finished, googleSearch, type Session, type Usage } from "@pollux/core";
import { fileStats, listFiles } from "@pollux/tools/files";
import { z } from "zod";
import type { Screen } from "./screen.ts";

/** An agent that can look at this repository and search the web. */
export function repositoryAgent(endpoint: Endpoint, model: string): Agent {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  return new Agent({
    model,
    endpoint,
    instructions:
      "You answer questions about the repository you have tools for. Call tools in parallel where you can. Be brief: plain text, no Markdown.",
    tools: [listFiles({ root }), fileStats({ root }), googleSearch()],
    settings: { includeThoughts: true },
  });
}

/** Function calls and a grounded answer in one run; the sources come with the ranges of the text they support. */
export async function askWithSources(chat: Session, screen: Screen): Promise<Usage> {
  const question =
    "Get the stats of README.md, list the files in packages, and search for what is new in the Gemini API.";
  screen.question(question);
  const stream = chat.stream(question);
  for await (const event of stream) if (event.type !== "text-delta") screen.printer.print(event);
  const result = finished(await stream.result());
  screen.footnotes(result);
  return result.usage;
}

/** A zod schema is the type of the output, and the model has to satisfy it. */
export async function askForTypedOutput(agent: Agent, history: readonly Content[], screen: Screen): Promise<Usage> {
  const facts = z.object({
    file: z.string().describe("The file that was measured"),
    bytes: z.number().int().describe("Its size"),
    lines: z.number().int(),
    kind: z.enum(["text", "binary"]),
  });
  const question = "How big is README.md?";
  screen.question(question);
  const result = finished(
    await agent.run([...history, { role: "user", parts: [{ text: question }] }], { output: facts, tools: [] }),
  );
  const { file, kind, bytes, lines } = result.output;
  screen.fields({ file, kind, bytes: bytes.toLocaleString("en-US"), lines: lines.toLocaleString("en-US") });
  return result.usage;
}
