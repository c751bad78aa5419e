import type * as z3 from "zod/v3";
import type * as z4 from "zod/v4/core";
import { messageOf } from "../../errors/agent-error.ts";
import { ToolDefinitionError } from "../../errors/run-errors.ts";
import { isObject } from "../../internal/json.ts";
import { fromZod3, fromZod4, isStandardSchema, loadZodToJsonSchema, type StandardSchema } from "./from-zod.ts";
import type { JsonSchema } from "../../wire/types/declaration.ts";
import type { SchemaChange, Tool } from "../tool.ts";
import { cleanInlined, cleanSchema } from "./clean-schema.ts";
import { SchemaPlace, type SchemaScope } from "./schema-place.ts";

/** A schema that brings its own JSON Schema: what `zod3()` gives, or any Standard Schema with a `jsonSchema` beside it. */
export interface DescribedSchema<Output = unknown> extends StandardSchema<Output> {
  readonly jsonSchema: JsonSchema;
}

/** A schema as it is sent, and what was done to get there. */
export interface DeclaredSchema {
  readonly schema: JsonSchema;
  readonly changes: readonly SchemaChange[];
}

/** What every recorded surface takes for "no parameters", also under a forced call. */
export const NO_PARAMETERS: JsonSchema = { type: "object", properties: {}, additionalProperties: false };

/**
 * The schema of a function's parameters.
 *
 * @param input - Zod 4, zod 3, a schema that brings its JSON Schema, or a JSON Schema; its root must be an object.
 * @param tool - Named in errors.
 * @throws {ToolDefinitionError} For what the service would refuse, with the path and the fix.
 */
export function declareParameters(input: unknown, tool: string): DeclaredSchema {
  const { schema, changes } = declareSchema(input, tool);
  if (schema["type"] !== "object" || "anyOf" in schema)
    throw new ToolDefinitionError(
      `tool "${tool}": the input must be an object, got ${describeRoot(schema)}: wrap it, as in z.object({ value: … })`,
      tool,
      "",
    );
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
  const root = input === "json" ? {} : toJsonSchema(input, tool);
  const scope: SchemaScope = { tool, root, changes: [], definitions: new Map(), names: new Map() };
  const place = new SchemaPlace(scope);
  const isInlined = typeof root["$ref"] === "string";
  if (isInlined) place.changed("its target put in its place: the root cannot be a reference", "$ref");
  const cleaned = isInlined ? cleanInlined(withoutDefinitions(root), place) : cleanSchema(root, place);
  if (cleaned === undefined) throw place.refused("matches no value: describe what it accepts");

  const definitions = [...scope.definitions].filter((entry): entry is [string, JsonSchema] => entry[1] !== undefined);
  const schema = definitions.length === 0 ? cleaned : { ...cleaned, $defs: Object.fromEntries(definitions) };
  const cycle = findRequiredCycle(schema);
  if (cycle !== undefined)
    throw place
      .at(...cycle)
      .refused(
        "refers to itself through required properties only, which the service rejects: make a property along the way .optional()",
      );
  return { schema, changes: scope.changes };
}

/** Each cast follows the mark that the library itself puts on its schemas. */
function toJsonSchema(input: unknown, tool: string): JsonSchema {
  if ((typeof input === "object" || typeof input === "function") && input !== null) {
    // Zod 4 schemas have `_def` too.
    if ("_zod" in input) return convert(tool, () => fromZod4(input as z4.$ZodType, tool));
    if (isStandardSchema(input) && "jsonSchema" in input && isObject(input.jsonSchema)) return input.jsonSchema;
    if ("_def" in input && "safeParseAsync" in input)
      return convert(tool, () => fromZod3(loadZodToJsonSchema(tool), input as unknown as z3.ZodTypeAny, tool));
    if (isObject(input) && !isStandardSchema(input)) return input;
  }
  throw new ToolDefinitionError(`tool "${tool}": the schema must be a zod schema or a JSON Schema object`, tool, "");
}

function convert(tool: string, work: () => JsonSchema): JsonSchema {
  try {
    return work();
  } catch (error) {
    if (error instanceof ToolDefinitionError) throw error;
    throw new ToolDefinitionError(
      `tool "${tool}": the schema cannot be written as JSON Schema: ${messageOf(error)}`,
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

function describeRoot(schema: JsonSchema): string {
  if ("anyOf" in schema) return "one of several";
  return schema["type"] === undefined ? "anything" : `of type ${JSON.stringify(schema["type"])}`;
}

/** A reference that must be followed: nothing optional stands between the two schemas. */
interface Edge {
  readonly target: string;
  readonly path: readonly string[];
}

/**
 * Finds a reference that comes back to itself without passing an optional property; the service refuses those.
 *
 * @param schema - Cleaned: references are `#` or `#/$defs/<name>`.
 * @returns Where the circle is closed, or nothing.
 * @see https://ai.google.dev/gemini-api/docs/structured-output
 */
function findRequiredCycle(schema: JsonSchema): readonly string[] | undefined {
  const edges = new Map<string, readonly Edge[]>([["#", listEdges(schema, [])]]);
  const definitions = schema["$defs"];
  if (isObject(definitions))
    for (const [name, definition] of Object.entries(definitions))
      edges.set(`#/$defs/${name}`, listEdges(definition, ["$defs", name]));

  const done = new Set<string>();
  const open = new Set<string>();
  for (const node of edges.keys()) {
    const found = visit(node);
    if (found !== undefined) return found;
  }
  return undefined;

  function visit(node: string): readonly string[] | undefined {
    if (done.has(node)) return undefined;
    open.add(node);
    for (const { target, path } of edges.get(node) ?? []) {
      const found = open.has(target) ? path : visit(target);
      if (found !== undefined) return found;
    }
    open.delete(node);
    done.add(node);
    return undefined;
  }
}

function listEdges(schema: unknown, path: readonly string[]): Edge[] {
  if (!isObject(schema)) return [];
  const edges: Edge[] = [];
  if (typeof schema["$ref"] === "string") edges.push({ target: schema["$ref"], path });
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const { properties, items, additionalProperties } = schema;
  for (const [name, property] of Object.entries(isObject(properties) ? properties : {}))
    if (required.includes(name)) edges.push(...listEdges(property, [...path, "properties", name]));
  edges.push(
    ...listEdges(items, [...path, "items"]),
    ...listEdges(additionalProperties, [...path, "additionalProperties"]),
  );
  for (const key of ["anyOf", "prefixItems"]) {
    const members = schema[key];
    if (Array.isArray(members))
      for (const [index, member] of members.entries()) edges.push(...listEdges(member, [...path, key, String(index)]));
  }
  return edges;
}

/** What is sent for a tool and what was changed in its schema on the way, as text to read. */
export function explainSchema(tool: Tool): string {
  const changes = tool.schemaChanges.map(({ path, change }) => `- ${path === "" ? "(root)" : path}: ${change}`);
  return [
    `${tool.name}: ${tool.description}`,
    "",
    "Sent as parametersJsonSchema:",
    JSON.stringify(tool.declaration.parametersJsonSchema, null, 2),
    "",
    changes.length === 0 ? "Nothing was changed on the way." : "Changed on the way:",
    ...changes,
  ].join("\n");
}
