import type { GetPromptResult, Prompt } from "@modelcontextprotocol/client";
import type { ContentInput, PartInput } from "@pollux/core";
import { partOf } from "./result-output.ts";

/** A prompt that a server offers for people to choose, such as a slash command. The server wrote all of it. */
export interface McpPrompt {
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly arguments: readonly McpPromptArgument[];
}

/** An argument of a prompt. */
export interface McpPromptArgument {
  readonly name: string;
  readonly description?: string | undefined;
  readonly required: boolean;
}

/** A server's prompt in this library's form. */
export function promptOf({ name, title, description, arguments: args = [] }: Prompt): McpPrompt {
  return {
    name,
    title,
    description,
    arguments: args.map((one) => ({ name: one.name, description: one.description, required: one.required === true })),
  };
}

/** A prompt's messages as contents: adjacent messages of the same role become one content. */
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
