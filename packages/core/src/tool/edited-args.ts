import { InvalidApprovalError } from "../errors/run-errors.ts";
import { copyJson, isObject, sameJson } from "../internal/json.ts";
import type { FunctionCall, JsonObject } from "../wire/types/content.ts";
import { isNamed } from "./call-failure.ts";
import type { PendingCall, Tool } from "./tool.ts";

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

/** The arguments of a call that an approval may change; `undefined` when the tool does not say. */
export function listEditable(
  { editable, declaration }: Pick<Tool, "editable" | "declaration">,
  args: JsonObject = {},
): readonly string[] | undefined {
  if (editable !== true) return editable;
  const schema = declaration.parametersJsonSchema;
  const { properties = {} } = (isObject(schema) ? schema : {}) as { readonly properties?: object };
  return [...new Set([...Object.keys(properties), ...Object.keys(args)])];
}

/** True for arguments that an approval gives, if they are others than those that were shown. */
export function isEdit(given: JsonObject, { args = {} }: Pick<FunctionCall, "args">): boolean {
  return !sameJson(given, args);
}

/** @throws {InvalidApprovalError} For arguments that change what the tool does not let an approval change. */
export function checkEditable({ callId, call, editable }: PendingCall, args: JsonObject): void {
  if (editable === undefined) return;
  const shown = call.args ?? {};
  const names = [...new Set([...Object.keys(shown), ...Object.keys(args)])];
  const changed = names.filter((name) => !editable.includes(name) && !sameJson(shown[name], args[name]));
  if (changed.length === 0) return;
  const allowed = editable.length === 0 ? "no argument" : `only ${editable.join(", ")}`;
  throw new InvalidApprovalError(callId, call.name, changed.join(", "), `change more than they may (${allowed})`);
}
