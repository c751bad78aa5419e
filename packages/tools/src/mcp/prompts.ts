import type { GetPromptResult, Prompt } from "@modelcontextprotocol/client";
import type { ContentInput, PartInput } from "@pollux/core";
import { partOf } from "./result-output.ts";

/** A prompt that a server offers for people to choose, such as a slash command. All its words are the server's. */
export interface McpPrompt {
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly arguments: readonly McpPromptArgument[];
}

/** What a prompt wants to know. */
export interface McpPromptArgument {
  readonly name: string;
  readonly description?: string | undefined;
  readonly required: boolean;
}

/** A server's prompt as this library has it. */
export function promptOf({ name, title, description, arguments: args = [] }: Prompt): McpPrompt {
  return {
    name,
    title,
    description,
    arguments: args.map((one) => ({ name: one.name, description: one.description, required: one.required === true })),
  };
}

/** A prompt's messages as contents: those of one role that follow each other are one content. */
export function promptContents({ messages }: GetPromptResult): readonly ContentInput[] {
  const contents: { role: "user" | "model"; parts: PartInput[] }[] = [];
  for (const message of messages) {
    const role = message.role === "assistant" ? "model" : "user";
    const part = partOf(message.content);
    const last = contents.at(-1);
    if (last?.role === role) last.parts.push(part);
    else contents.push({ role, parts: [part] });
  }
  return contents;
}
