import { type Problem, problem } from "./problem.ts";
import type { ResolvedSwitches } from "./switches.ts";

type JsonRecord = Readonly<Record<string, unknown>>;

interface Measure {
  readonly root: JsonRecord;
  readonly limits: Pick<ResolvedSwitches, "maxSchemaDepth" | "maxSchemaStates">;
}

/** Schemas of either kind that are too deep, cyclic through required properties, or too big to constrain (E-28, E-29). */
export function schemaSizeProblem(schema: unknown, limits: Measure["limits"], terse: boolean): Problem | undefined {
  if (!isRecord(schema)) return undefined;
  const measure: Measure = { root: schema, limits };
  if (requiredDepth(schema, measure, 0) > limits.maxSchemaDepth) {
    return problem("E-29", "A schema in the request exceeds the maximum allowed nesting depth.");
  }
  if (states(schema) <= limits.maxSchemaStates) return undefined;
  return problem("E-28", terse ? "Request contains an invalid argument." : TOO_MANY_STATES);
}

/** Number of members of all enums in a schema. */
export function enumMembers(schema: unknown): number {
  if (Array.isArray(schema)) return schema.reduce<number>((sum, item) => sum + enumMembers(item), 0);
  if (!isRecord(schema)) return 0;
  const own = Array.isArray(schema["enum"]) ? schema["enum"].length : 0;
  return Object.values(schema).reduce<number>((sum, child) => sum + enumMembers(child), own);
}

const TOO_MANY_STATES =
  "The specified schema produces a constraint that has too many states for serving. Typical causes of this error are schemas with lots of text (for example, very long property or enum names), schemas with long array length limits (especially when nested), or schemas using complex value matchers (for example, integers or numbers with minimum/maximum bounds or strings with complex formats like date-time)";

/** Nesting of a schema. References are followed where a value is required, since a cycle there never ends. */
function requiredDepth(node: unknown, measure: Measure, depth: number): number {
  if (!isRecord(node) || depth > measure.limits.maxSchemaDepth) return depth;
  const required: readonly unknown[] = Array.isArray(node["required"]) ? node["required"] : [];
  const properties = Object.entries(isRecord(node["properties"]) ? node["properties"] : {});
  const isRequired = new Set(required);
  const must = properties.filter(([name]) => isRequired.has(name)).map(([, child]) => child);
  if (typeof node["$ref"] === "string") must.push(resolve(node["$ref"], measure.root));
  const may = properties.filter(([name]) => !isRequired.has(name)).map(([, child]) => child);
  may.push(node["items"], node["additionalProperties"]);
  // One by one: these lists can be too long to be arguments of one call.
  for (const key of ["anyOf", "oneOf", "prefixItems"]) {
    const children: unknown = node[key];
    if (Array.isArray(children)) for (const child of children) may.push(child);
  }
  const followed = [...must, ...may.filter((child) => !refersAnywhere(child))].filter(isRecord);
  return followed.reduce((most, child) => Math.max(most, requiredDepth(child, measure, depth + 1)), depth);
}

function refersAnywhere(node: unknown): boolean {
  if (Array.isArray(node)) return node.some(refersAnywhere);
  return isRecord(node) && ("$ref" in node || Object.values(node).some(refersAnywhere));
}

function resolve(reference: string, root: JsonRecord): unknown {
  if (!reference.startsWith("#")) return undefined;
  const keys = reference.slice(1).split("/").filter(Boolean);
  return keys.reduce<unknown>(
    (node, key) => (isRecord(node) ? node[key.replaceAll("~1", "/").replaceAll("~0", "~")] : undefined),
    root,
  );
}

/** A rough count: names and enum members by their length; lists multiply the count of their items. */
function states(node: unknown): number {
  if (!isRecord(node)) return 1;
  let count = 1;
  for (const [name, child] of Object.entries(isRecord(node["properties"]) ? node["properties"] : {})) {
    count += name.length + states(child);
  }
  if (Array.isArray(node["enum"])) for (const member of node["enum"]) count += String(member).length;
  for (const key of ["anyOf", "oneOf", "prefixItems"]) {
    const children: readonly unknown[] = Array.isArray(node[key]) ? node[key] : [];
    for (const child of children) count += states(child);
  }
  if (isRecord(node["items"])) count += states(node["items"]) * bound(node["maxItems"]);
  return count;
}

function bound(limit: unknown): number {
  return typeof limit === "number" && limit > 1 ? limit : 1;
}

function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
