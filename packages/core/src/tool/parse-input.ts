import { ToolRetry } from "../errors/tool-errors.ts";
import { isObject } from "../internal/json.ts";
import { isStandardSchema, issuesText } from "../internal/standard-schema.ts";

/**
 * Checks a call's arguments with the author's schema; a raw JSON Schema is only checked for an object with the required
 * properties, since its values are not typed either.
 *
 * @throws {ToolRetry} With at most five problems in at most 500 characters.
 */
export async function parseInput(schema: unknown, args: unknown): Promise<unknown> {
  if (isStandardSchema(schema)) {
    const checked = await schema["~standard"].validate(args);
    if (checked.issues === undefined) return checked.value;
    throw new ToolRetry(`the arguments do not fit: ${issuesText(checked.issues)}`.slice(0, 500));
  }
  if (!isObject(args)) throw new ToolRetry("the arguments must be an object");
  const required = isObject(schema) && Array.isArray(schema["required"]) ? schema["required"].map(String) : [];
  const missing = required.filter((name) => !Object.hasOwn(args, name));
  if (missing.length > 0)
    throw new ToolRetry(issuesText(missing.map((name) => ({ message: "required and missing", path: [name] }))));
  return args;
}
