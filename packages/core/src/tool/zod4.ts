import { toJSONSchema, type $ZodType } from "zod/v4/core";
import { ToolDefinitionError } from "../errors/tool-errors.ts";
import type { JsonSchema } from "../wire/declaration.ts";

/** What JSON cannot hold, and what to write instead. */
export const NOT_JSON: ReadonlyMap<string, string> = new Map([
  ["bigint", "use z.coerce.bigint() (the model sends decimal digits) or z.int()"],
  ["date", "use z.coerce.date() (the model sends an ISO date-time) or a string schema such as z.iso.datetime()"],
  ["map", "use z.record() or an array of objects"],
  ["set", "use z.array()"],
  ["symbol", "use z.string() or z.enum()"],
  ["function", "leave it out; give the tool what it needs from its own scope"],
  ["nan", "use z.number()"],
  ["custom", "use a schema of JSON values, with .refine() or .transform() for the rest"],
  ["file", "use a string schema for a path, URL or base64"],
]);

/**
 * The JSON Schema of what a zod 4 schema takes in (not of what it gives out).
 *
 * @throws {ToolDefinitionError} For a type that JSON has not; names the path and what to use instead.
 */
export function fromZod4(schema: $ZodType, tool: string): JsonSchema {
  let problem: ToolDefinitionError | undefined;
  const converted = toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema, path }) => {
      const { def } = zodSchema._zod;
      const coerces = "coerce" in def && def.coerce;
      if (def.type === "date" && coerces) Object.assign(jsonSchema, { type: "string", format: "date-time" });
      else if (def.type === "bigint" && coerces)
        Object.assign(jsonSchema, {
          type: "string",
          description: withNote(jsonSchema.description, "An integer in decimal digits."),
        });
      else if (def.type === "undefined" || def.type === "void") Object.assign(jsonSchema, { not: {} });
      else {
        const wrong =
          def.type === "literal" && def.values.some((value) => typeof value === "bigint") ? "bigint" : def.type;
        const fix = NOT_JSON.get(wrong);
        if (fix !== undefined) problem ??= notJson(tool, wrong, path ?? [], fix);
      }
    },
  });
  if (problem !== undefined) throw problem;
  return { ...converted };
}

/** The error for a type that a model cannot send. */
export function notJson(
  tool: string,
  type: string,
  path: readonly (string | number)[],
  fix: string,
): ToolDefinitionError {
  const where = path.join(".");
  return new ToolDefinitionError(
    `tool "${tool}": ${where === "" ? "the input" : where} is a ${type}, which JSON cannot hold: ${fix}`,
    tool,
    where,
  );
}

/** A description with one more sentence. */
export function withNote(description: unknown, note: string): string {
  if (typeof description !== "string" || description.trim() === "") return note;
  const text = description.trimEnd();
  return `${text}${/[.!?:;]$/.test(text) ? "" : "."} ${note}`;
}
