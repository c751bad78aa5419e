import type { AnyTool, Approval, JsonObject, PendingCall } from "@pollux/core";
import { explainUntrusted } from "@pollux/core/conversation";
import { inOneLine, printable } from "../terminal-text.ts";
import type { ChatInput } from "./chat-input.ts";

/** Asks whether a call may run: yes, no, or with other arguments. The answer is no if there is no one to ask. */
export async function approveCall(
  { call, because }: Pick<PendingCall, "call" | "because">,
  tools: readonly AnyTool[],
  input: ChatInput,
): Promise<Approval> {
  const name = inOneLine(call.name, 100);
  const why = because === undefined ? "" : `${printable(explainUntrusted(because, call))}\n`;
  const reply = await input.ask(`${why}May ${name} run with ${inOneLine(call.args, 2000)}? [y/N/e to edit] `);
  if (/^y(?:es)?$/i.test(reply ?? "")) return true;
  if (/^e(?:dit)?$/i.test(reply ?? "")) {
    let problem = "";
    for (;;) {
      const text = await input.ask(`${problem}Arguments of ${name} as JSON, or nothing to deny the call: `);
      if (text === undefined || text === "") break;
      const read = await readArguments(text, call.name, tools);
      if ("args" in read) return read;
      problem = `${printable(read.problem.slice(0, 500))}\n`;
    }
  }
  return { deny: "the user said no" };
}

async function readArguments(
  text: string,
  name: string,
  tools: readonly AnyTool[],
): Promise<{ readonly args: JsonObject } | { readonly problem: string }> {
  try {
    const args: unknown = JSON.parse(text);
    if (typeof args !== "object" || args === null || Array.isArray(args)) return { problem: "Expected an object" };
    const tool = tools.find((one) => one.kind === "function" && one.name === name);
    if (tool?.kind === "function") await tool.parse(structuredClone(args));
    // A JSON object, just parsed.
    return { args: args as JsonObject };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
