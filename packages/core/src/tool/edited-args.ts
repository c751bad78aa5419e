import { copyJson, isObject } from "../internal/json.ts";
import type { JsonObject } from "../wire/types/content.ts";
import { isNamed } from "./call-failure.ts";
import type { Tool } from "./tool.ts";

/** The arguments that an approval gives a call instead of the model's, if it does. */
export function editedArgs(approval: unknown): JsonObject | undefined {
  if (!isObject(approval) || "deny" in approval) return undefined;
  const args = approval["args"];
  return isObject(args) && !Array.isArray(args) ? args : undefined;
}

/** What is wrong with such arguments, in short; `undefined` when they fit. */
export async function findArgumentProblem(tool: Pick<Tool, "parse">, args: JsonObject): Promise<string | undefined> {
  try {
    await tool.parse(copyJson(args));
    return undefined;
  } catch (error) {
    return isNamed(error, "ToolRetry") ? error.message : "they could not be checked";
  }
}
