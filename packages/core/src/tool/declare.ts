import { ToolDefinitionError } from "../errors/tool-errors.ts";
import type { JsonSchema } from "../wire/declaration.ts";
import { cleanInlined, cleanSchema } from "./clean-schema.ts";
import { classifySchema } from "./input-schema.ts";
import { requiredCycle } from "./schema-cycles.ts";
import { refused, type SchemaPlace, type SchemaScope } from "./schema-scope.ts";
import type { SchemaChange } from "./tool.ts";
import { fromZod3, loadZodToJsonSchema } from "./zod3-schema.ts";
import { fromZod4 } from "./zod4.ts";

/** A schema as it is sent, and what was done to get there. */
export interface DeclaredSchema {
  readonly schema: JsonSchema;
  readonly changes: readonly SchemaChange[];
}

/** What every recorded surface takes for "no parameters", also under a forced call. */
export const NO_PARAMETERS: JsonSchema = { type: "object", properties: {}, additionalProperties: false };

/** What an answer in free JSON has to fit. */
const ANY_JSON: JsonSchema = {};

/**
 * The schema of a function's parameters.
 *
 * @param input - Zod 4, zod 3, a schema that brings its JSON Schema, or a JSON Schema; its root must be an object.
 * @param tool - Named in errors.
 * @throws {ToolDefinitionError} For what the service would refuse, with the path and the fix.
 */
export function declareParameters(input: unknown, tool: string): DeclaredSchema {
  const { schema, changes } = declareSchema(input, tool);
  if (schema["type"] !== "object" || "anyOf" in schema) {
    throw new ToolDefinitionError(
      `tool "${tool}": the input must be an object, and it is ${rootWord(schema)}: wrap it, as in z.object({ value: … })`,
      tool,
      "",
    );
  }
  const empty = schema["properties"] === undefined || Object.keys(schema["properties"] as object).length === 0;
  if (!empty || (schema["additionalProperties"] !== undefined && schema["properties"] !== undefined))
    return { schema, changes };
  // Never overwrites what the author said about other names.
  const closed = { ...schema, properties: {}, additionalProperties: schema["additionalProperties"] ?? false };
  return {
    schema: closed,
    changes: [
      ...changes,
      { path: "", change: "written as an object without properties in the form that every endpoint takes" },
    ],
  };
}

/**
 * A schema inside the subset of JSON Schema that the service documents. What it has no keyword for is said in the
 * description, so the model still reads it; values are checked against the real schema afterwards in any case.
 *
 * @param input - As for {@link declareParameters}, but any root; `"json"` for any JSON.
 * @throws {ToolDefinitionError} For what the service would refuse, with the path and the fix.
 * @see https://ai.google.dev/gemini-api/docs/structured-output
 */
export function declareSchema(input: unknown, tool: string): DeclaredSchema {
  const root = input === "json" ? ANY_JSON : jsonSchemaOf(input, tool);
  const scope: SchemaScope = { tool, root, changes: [], definitions: new Map(), names: new Map() };
  const place: SchemaPlace = { path: [], inlining: new Set() };
  const inlined = typeof root["$ref"] === "string";
  if (inlined)
    scope.changes.push({ path: "$ref", change: "its target put in its place: the root cannot be a reference" });
  const cleaned = inlined ? cleanInlined(withoutDefinitions(root), scope, place) : cleanSchema(root, scope, place);
  if (cleaned === undefined) throw refused(scope, place, "fits no value: describe what it takes");

  const definitions = [...scope.definitions].filter((entry): entry is [string, JsonSchema] => entry[1] !== undefined);
  const schema = definitions.length === 0 ? cleaned : { ...cleaned, $defs: Object.fromEntries(definitions) };
  const circle = requiredCycle(schema);
  if (circle !== undefined) {
    throw refused(
      scope,
      { ...place, path: circle },
      "comes back to itself through required properties only, which the service refuses: make a property on the way .optional()",
    );
  }
  return { schema, changes: scope.changes };
}

function jsonSchemaOf(input: unknown, tool: string): JsonSchema {
  const given = classifySchema(input);
  switch (given.kind) {
    case "zod4":
      return convert(tool, () => fromZod4(given.schema, tool));
    case "zod3":
      return convert(tool, () => fromZod3(loadZodToJsonSchema(tool), given.schema, tool));
    case "described":
      return given.schema.jsonSchema;
    case "json":
      return given.schema;
    case "unknown":
      throw new ToolDefinitionError(
        `tool "${tool}": the schema must be a zod schema or a JSON Schema object`,
        tool,
        "",
      );
  }
}

function convert(tool: string, work: () => JsonSchema): JsonSchema {
  try {
    return work();
  } catch (error) {
    if (error instanceof ToolDefinitionError) throw error;
    throw new ToolDefinitionError(
      `tool "${tool}": the schema cannot be written as JSON Schema: ${error instanceof Error ? error.message : String(error)}`,
      tool,
      "",
      { cause: error },
    );
  }
}

function withoutDefinitions(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(
    Object.entries(schema).filter(([key]) => !["$defs", "definitions", "$schema"].includes(key)),
  );
}

function rootWord(schema: JsonSchema): string {
  if ("anyOf" in schema) return "one of several";
  return schema["type"] === undefined ? "anything" : `of type ${JSON.stringify(schema["type"])}`;
}
