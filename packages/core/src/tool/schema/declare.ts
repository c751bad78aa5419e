import type * as z3 from "zod/v3";
import type * as z4 from "zod/v4/core";
import { AgentError, ConfigurationError, messageOf } from "../../errors/agent-error.ts";
import { ToolDefinitionError } from "../../errors/run-errors.ts";
import { asList, asObject, isObject } from "../../internal/json.ts";
import { fromZod3, fromZod4, loadZodToJsonSchema } from "./from-zod.ts";
import type { JsonSchema } from "../../wire/types/declaration.ts";
import type { SchemaChange, Tool } from "../tool.ts";
import { cleanInlined, cleanSchema } from "./clean-schema.ts";
import { type SchemaOwner, SchemaPlace, SchemaScope } from "./keywords.ts";
import {
  describeConversion,
  fromStandard,
  isStandardJsonSchema,
  isStandardSchema,
  type StandardSchema,
} from "./standard-schema.ts";

/** A schema that carries its own JSON Schema: the result of `zod3()`, or any Standard Schema with a `jsonSchema` member. */
export interface DescribedSchema<Output = unknown, Input = unknown> extends StandardSchema<Output, Input> {
  readonly jsonSchema: JsonSchema;
}

/** A schema as it is sent, and how it differs from the author's. */
export interface DeclaredSchema {
  readonly schema: JsonSchema;
  /** The author's schema as JSON Schema. */
  readonly source: JsonSchema;
  readonly changes: readonly SchemaChange[];
}

/** The form of "no parameters" that every recorded endpoint accepts, also when a call is forced. */
export const NO_PARAMETERS: JsonSchema = { type: "object", properties: {}, additionalProperties: false };

/** The schema of a function's parameters: an object. @throws {ToolDefinitionError} For one that the service would reject, with path and fix. */
export function declareParameters(input: unknown, tool: string): DeclaredSchema {
  const owner = ownedByTool(tool);
  const declared = declareSchema(input, owner);
  const { schema, changes } = declared;
  if (schema["type"] !== "object" || "anyOf" in schema) {
    const wrap = isObject(input) && "_zod" in input ? "wrap it, as in z.object({ value: … })" : "wrap it in an object";
    throw owner.error(`the input must be an object, got ${describeRoot(schema)}: ${wrap}`, "");
  }
  const empty = schema["properties"] === undefined || Object.keys(schema["properties"] as object).length === 0;
  if (!empty || (schema["additionalProperties"] !== undefined && schema["properties"] !== undefined)) return declared;
  const change = "rewritten in the form of no parameters that every endpoint accepts";
  const closed = { ...schema, properties: {}, additionalProperties: schema["additionalProperties"] ?? false };
  return { ...declared, schema: closed, changes: [...changes, { path: "", change }] };
}

/**
 * Converts a schema to the subset of JSON Schema that the service documents. Unsupported keywords move into the description; values are
 * validated against the author's schema anyway.
 * @param input - Zod 4, zod 3, a schema that knows its JSON Schema, or a JSON Schema; `"json"` for any JSON.
 * @throws {AgentError} For a schema that the service would reject, with the path and the fix.
 * @see https://ai.google.dev/gemini-api/docs/structured-output
 */
export function declareSchema(input: unknown, owner: SchemaOwner = OUTPUT_OWNER): DeclaredSchema {
  const root = input === "json" ? {} : convert(input, owner);
  const scope = new SchemaScope(owner, root);
  const place = new SchemaPlace(scope);
  const isInlined = typeof root["$ref"] === "string";
  if (isInlined) place.changed("replaced by its target: the root cannot be a reference", "$ref");
  const { $defs: _, definitions: _definitions, $schema: _schema, ...inlined } = root;
  const cleaned = isInlined ? cleanInlined(inlined, place) : cleanSchema(root, place);
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
  return { schema, source: root, changes: scope.changes };
}

/** A tool, whose input the schema describes. */
export function ownedByTool(name: string): SchemaOwner {
  return {
    option: "input",
    error: (problem, path, options) => new ToolDefinitionError(`tool "${name}": ${problem}`, name, path, options),
  };
}

/** The typed output of a run. */
const OUTPUT_OWNER: SchemaOwner = {
  option: "output",
  error: (problem, _path, options) => new ConfigurationError(`output: ${problem}`, options),
};

/** Each cast relies on the marker that the schema's own library sets. */
function toJsonSchema(input: unknown, owner: SchemaOwner): JsonSchema {
  if ((typeof input === "object" || typeof input === "function") && input !== null) {
    // Zod 4 schemas have `_def` too.
    if ("_zod" in input) return fromZod4(input as z4.$ZodType, owner);
    if (isStandardSchema(input)) {
      if ("jsonSchema" in input && isObject(input.jsonSchema)) return input.jsonSchema;
      if (isStandardJsonSchema(input)) return fromStandard(input);
    }
    if ("_def" in input && "safeParseAsync" in input)
      return fromZod3(loadZodToJsonSchema(owner), input as unknown as z3.ZodTypeAny, owner);
    if (isStandardSchema(input))
      throw owner.error(
        `the ${input["~standard"].vendor} schema does not know its JSON Schema, which is sent to the model: ` +
          describeConversion(input, owner.option),
        "",
      );
    if (isObject(input)) {
      // MCP's SDK accepts this; the service would read it as a schema without keywords.
      if (Object.values(input).some(isStandardSchema))
        throw owner.error("the schema is an object of schemas: wrap it, as in z.object({ city: z.string() })", "");
      return input;
    }
  }
  throw owner.error("the schema must be a zod, Valibot or ArkType schema, or a JSON Schema object", "");
}

function convert(input: unknown, owner: SchemaOwner): JsonSchema {
  try {
    return toJsonSchema(input, owner);
  } catch (error) {
    if (error instanceof AgentError) throw error;
    throw owner.error(`the schema cannot be written as JSON Schema: ${messageOf(error)}`, "", { cause: error });
  }
}

function describeRoot(schema: JsonSchema): string {
  if ("anyOf" in schema) return "one of several";
  return schema["type"] === undefined ? "anything" : `of type ${JSON.stringify(schema["type"])}`;
}

/** A reference reached through required parts only. */
interface Edge {
  readonly target: string;
  readonly path: readonly string[];
}

/** Path of a cycle through required properties only, which the service rejects. @see https://ai.google.dev/gemini-api/docs/structured-output */
function findRequiredCycle(schema: JsonSchema): readonly string[] | undefined {
  const edges = new Map<string, readonly Edge[]>([["#", listEdges(schema, [])]]);
  for (const [name, definition] of Object.entries(asObject(schema["$defs"])))
    edges.set(`#/$defs/${name}`, listEdges(definition, ["$defs", name]));

  const seen = new Set<string>();
  const open = new Set<string>();
  const enter = (node: string): { node: string; left: Iterator<Edge> } => {
    seen.add(node);
    open.add(node);
    return { node, left: (edges.get(node) ?? []).values() };
  };
  for (const start of edges.keys()) {
    // A list, not the stack: definitions may refer to each other in a long chain.
    const visits = seen.has(start) ? [] : [enter(start)];
    for (let visit = visits.at(-1); visit !== undefined; visit = visits.at(-1)) {
      const { value: edge, done } = visit.left.next();
      if (done === true) {
        open.delete(visit.node);
        visits.pop();
      } else if (open.has(edge.target)) return edge.path;
      else if (!seen.has(edge.target)) visits.push(enter(edge.target));
    }
  }
  return undefined;
}

function listEdges(schema: unknown, path: readonly string[]): Edge[] {
  if (!isObject(schema)) return [];
  const edges: Edge[] = [];
  if (typeof schema["$ref"] === "string") edges.push({ target: schema["$ref"], path });
  const { properties, items, additionalProperties } = schema;
  const required = asList(schema["required"]);
  for (const [name, property] of Object.entries(asObject(properties)))
    if (required.includes(name)) edges.push(...listEdges(property, [...path, "properties", name]));
  edges.push(
    ...listEdges(items, [...path, "items"]),
    ...listEdges(additionalProperties, [...path, "additionalProperties"]),
  );
  for (const key of ["anyOf", "prefixItems"])
    for (const [index, member] of asList(schema[key]).entries())
      edges.push(...listEdges(member, [...path, key, String(index)]));
  return edges;
}

/** The tool as it is sent, and how its schema was changed, as readable text. */
export function explainSchema(tool: Tool): string {
  const changes = tool.schemaChanges.map(({ path, change }) => `- ${path === "" ? "(root)" : path}: ${change}`);
  return [
    `${tool.name}: ${tool.description}`,
    "",
    "Sent as parametersJsonSchema:",
    JSON.stringify(tool.declaration.parametersJsonSchema, null, 2),
    "",
    changes.length === 0 ? "The schema was not changed." : "Changes to the schema:",
    ...changes,
  ].join("\n");
}
