import type { JsonSchema } from "@pollux/core/wire";
import { type Body, bodyOf } from "./body.ts";
import type { OpenApiRoot } from "./document.ts";
import { isObject, type JsonObject, objectAt, shortened } from "./json.ts";
import { knownRequired } from "./merge-all-of.ts";
import type { FoundOperation } from "./operations.ts";
import { type Parameter, parametersOf } from "./parameters.ts";
import { type CopyDepth, SchemaCopy } from "./schema-copy.ts";
import { Work } from "./work.ts";

/** How the input of a call becomes a request. */
export interface Plan {
  readonly operation: FoundOperation;
  /** The schema for the model. */
  readonly schema: JsonSchema;
  /** Parameters outside the body, by the model's name for them. */
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly body: Body | undefined;
  /** Members of the body, by the model's name for them; `""` stands for the whole body. */
  readonly bodyMembers: ReadonlyMap<string, string>;
}

/** Stands for the whole body in {@link Plan.bodyMembers}. */
export const WHOLE = "";

/** Longest description of a parameter, in characters. */
const MAX_DESCRIPTION = 400;

/** Parameters that the credentials fill, such as `header x-api-key`; the model doesn't see them. */
export type Filled = ReadonlySet<string>;

/**
 * The input of an operation: all parameters and the members of the body, in one flat object.
 *
 * @throws {TooComplexError} If it takes too many steps.
 */
export function planOf(document: OpenApiRoot, operation: FoundOperation, filled: Filled, depth: CopyDepth): Plan {
  const work = new Work();
  const copies = new SchemaCopy(document, depth, work);
  const properties = new Map<string, JsonObject>();
  const required: string[] = [];
  const add = (name: string, place: string, schema: JsonObject, isRequired: boolean): string => {
    const own = freeName(name, place, properties, work);
    properties.set(own, own === name ? schema : noted(schema, `(${place}: \`${name}\`)`));
    if (isRequired) required.push(own);
    return own;
  };

  const parameters = new Map<string, Parameter>();
  for (const one of parametersOf(document, operation)) {
    if (filled.has(`${one.in} ${one.name.toLowerCase()}`)) continue;
    const schema = copies.copy(one.schema);
    // The parameter's own description takes precedence.
    const shown =
      one.description === undefined ? schema : { ...schema, description: shortened(one.description, MAX_DESCRIPTION) };
    parameters.set(add(one.name, one.in, shown, one.required), one);
  }

  const body = bodyOf(document, operation);
  const bodyMembers = new Map<string, string>();
  if (body !== undefined) {
    const members = membersOf(body, copies);
    if (members === undefined) {
      const schema = body.kind === "text" && !isObject(body.schema) ? { type: "string" } : copies.copy(body.schema);
      const text = body.kind === "text" ? { type: "string", ...described(schema) } : schema;
      const whole = body.description === undefined ? text : noted(text, shortened(body.description, MAX_DESCRIPTION));
      bodyMembers.set(add("body", "body", whole, body.required), WHOLE);
    } else {
      const requiredMembers = new Set(knownRequired(members));
      for (const [name, schema] of Object.entries(objectAt(members, "properties"))) {
        const isRequired = requiredMembers.has(name);
        bodyMembers.set(add(name, "body", isObject(schema) ? schema : {}, isRequired), name);
      }
    }
  }
  const definitions = copies.definitions;
  const schema = {
    type: "object",
    properties: Object.fromEntries(properties),
    ...(required.length > 0 && { required }),
    ...(Object.keys(definitions).length > 0 && { $defs: definitions }),
  };
  return { operation, schema, parameters, body, bodyMembers };
}

/** The body's members, if they can stand beside the parameters without losing anything or making anything required. */
function membersOf(body: Body, copies: SchemaCopy): JsonObject | undefined {
  if (body.kind === "text") return undefined;
  const plain = copies.plain(body.schema);
  const isClosed = plain["additionalProperties"] === undefined || plain["additionalProperties"] === false;
  if (!isObject(plain["properties"]) || plain["anyOf"] !== undefined || plain["oneOf"] !== undefined) return undefined;
  if (!isClosed || plain["nullable"] === true || Array.isArray(plain["type"])) return undefined;
  const copy = copies.copy(plain);
  if (Object.keys(objectAt(copy, "properties")).length === 0) return undefined;
  return body.required || knownRequired(copy).length === 0 ? copy : undefined;
}

/** The name with characters that the service accepts, prefixed with its location if already taken. */
function freeName(name: string, place: string, taken: ReadonlyMap<string, unknown>, work: Work): string {
  const plain = /^[A-Za-z_][\w.-]{0,63}$/.test(name)
    ? name
    : name
        .replaceAll(/[^A-Za-z0-9_]+/g, "_")
        .replaceAll(/^_+|_+$/g, "")
        .replace(/^(?![A-Za-z])/, "_")
        .slice(0, 56);
  if (!taken.has(plain)) return plain;
  const placed = `${place}_${plain}`.slice(0, 60);
  for (let number = 1; ; number++) {
    work.step();
    const free = number === 1 ? placed : `${placed}_${number}`;
    if (!taken.has(free)) return free;
  }
}

function noted(schema: JsonObject, note: string): JsonObject {
  const own = typeof schema["description"] === "string" ? schema["description"] : "";
  return { ...schema, description: own === "" ? note : `${own} ${note}` };
}

function described(schema: JsonObject): JsonObject {
  return typeof schema["description"] === "string" ? { description: schema["description"] } : {};
}
