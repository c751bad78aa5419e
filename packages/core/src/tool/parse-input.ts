import { ToolRetry } from "../errors/tool-errors.ts";
import { isObject } from "../internal/json.ts";
import {
  isStandardSchema,
  issuesText,
  type StandardIssue,
  type StandardResult,
  type StandardSchema,
} from "../internal/standard-schema.ts";

/**
 * Checks a call's arguments with the author's schema; a raw JSON Schema is only checked for an object with the required
 * properties, since its values are not typed either.
 *
 * @throws {ToolRetry} With at most five problems in at most 500 characters.
 */
export async function parseInput(schema: unknown, args: unknown): Promise<unknown> {
  if (isStandardSchema(schema)) {
    const checked = await check(schema, args);
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

/**
 * Zod 4 is asked in its asynchronous way: the other one first compiles code for the schema, which costs as much as some fifty
 * parses, and is forbidden in places.
 */
async function check(schema: StandardSchema, args: unknown): Promise<StandardResult<unknown>> {
  if (!isZod4(schema)) return await schema["~standard"].validate(args);
  const { data, error } = await schema.safeParseAsync(args);
  return error === undefined ? { value: data } : { issues: error.issues };
}

interface Zod4Schema extends StandardSchema {
  safeParseAsync(
    value: unknown,
  ): Promise<{ readonly data?: unknown; readonly error?: { readonly issues: readonly StandardIssue[] } }>;
}

function isZod4(schema: StandardSchema): schema is Zod4Schema {
  return "_zod" in schema && "safeParseAsync" in schema;
}
