import { MESSAGES, ONEOFS } from "./descriptors.ts";
import { ENUMS } from "./enums.ts";
import type { Problem } from "./problem.ts";
import { scalarProblem } from "./scalars.ts";

/** Which fields a server knows. */
export interface FieldScope {
  readonly surface: "developer" | "vertex";
  /** A proxy that predates ids on calls, JSON Schema parameters and server-side tool invocations. */
  readonly old: boolean;
  /** `v1` as it was before 2026. */
  readonly oldV1: boolean;
  /** Accepts `includeServerSideToolInvocations` everywhere. Default: false. */
  readonly toolFlag?: boolean | undefined;
  /** Version in the names of enums, such as `v1beta`. */
  readonly apiVersion: string;
}

/** A body in camelCase, and its invalid fields, in the order of the body. */
export interface CheckedFields {
  readonly value: Readonly<Record<string, unknown>>;
  readonly problems: readonly Problem[];
}

/**
 * Checks names and types of a parsed body against a message and normalizes it, as the service's protobuf JSON parser does.
 *
 * It accepts camelCase and snake_case names, a single value in place of a list, null for an unset field, and enum members in any
 * case. Free-form JSON (`args`, `response`, JSON Schemas) is not changed.
 *
 * @see https://protobuf.dev/programming-guides/json/
 */
export function checkFields(
  body: Readonly<Record<string, unknown>>,
  message: string,
  scope: FieldScope,
): CheckedFields {
  const problems: Problem[] = [];
  return { value: checkMessage(body, message, "", { scope, problems }), problems };
}

interface Walk {
  readonly scope: FieldScope;
  readonly problems: Problem[];
}

interface FieldType {
  readonly name: string;
  readonly repeated: boolean;
  readonly map: boolean;
}

type JsonRecord = Readonly<Record<string, unknown>>;

function checkMessage(body: JsonRecord, message: string, path: string, walk: Walk): JsonRecord {
  const entries: [string, unknown][] = [];
  const oneof = ONEOFS[message] ?? [];
  let chosen: string | undefined;
  for (const [key, raw] of Object.entries(body)) {
    const name = camelCase(key);
    const type = fieldType(message, name, walk.scope);
    if (!type) {
      walk.problems.push(unknownName(key, path, "Cannot find field."));
      continue;
    }
    if (raw === null && type.name !== "Value") continue;
    if (oneof.includes(name)) {
      if (chosen !== undefined) {
        const problem = `Invalid value at '${path}' (oneof), oneof field 'data' is already set. Cannot set '${name}'`;
        walk.problems.push({ rule: "E-07", message: problem, field: path });
        continue;
      }
      chosen = name;
    }
    entries.push([name, checkField(raw, type, key, path, walk)]);
  }
  return Object.fromEntries(entries);
}

function fieldType(message: string, name: string, scope: FieldScope): FieldType | undefined {
  const fields = MESSAGES[message];
  if (!fields || !Object.hasOwn(fields, name)) return undefined;
  const [spelled = "", ...limits] = (fields[name] ?? "").split("@");
  if (scope.toolFlag === true && name === "includeServerSideToolInvocations") {
    return { name: spelled, repeated: false, map: false };
  }
  if (limits.includes("developer") && scope.surface !== "developer") return undefined;
  if (limits.includes("vertex") && scope.surface !== "vertex") return undefined;
  if (limits.includes("current") && scope.old) return undefined;
  if (limits.includes("v1beta") && scope.oldV1) return undefined;
  const repeated = spelled.endsWith("[]");
  const inner = repeated ? spelled.slice(0, -2) : spelled;
  const map = inner.startsWith("map<");
  return { name: map ? inner.slice(4, -1) : inner, repeated, map };
}

function checkField(raw: unknown, type: FieldType, key: string, parent: string, walk: Walk): unknown {
  const path = parent ? `${parent}.${snakeCase(key)}` : snakeCase(key);
  if (type.map) return checkMap(raw, type, path, walk);
  if (Array.isArray(raw) && type.name !== "Value") {
    if (type.repeated) return raw.map((item, index) => checkValue(item, type.name, `${path}[${index}]`, walk));
    walk.problems.push(unknownName(key, parent, "Proto field is not repeating, cannot start list."));
    return undefined;
  }
  const value = checkValue(raw, type.name, path, walk);
  return type.repeated ? [value] : value;
}

/** To the parser, a map's entries are a repeated message, so paths number them. */
function checkMap(raw: unknown, type: FieldType, path: string, walk: Walk): unknown {
  if (!isRecord(raw)) {
    walk.problems.push({
      rule: "E-03",
      message: `Invalid value at '${path}' (Map), ${JSON.stringify(raw)}`,
      field: path,
    });
    return {};
  }
  return Object.fromEntries(
    Object.entries(raw).map(([key, item], index) => [
      key,
      checkValue(item, type.name, `${path}[${index}].value`, walk),
    ]),
  );
}

function checkValue(raw: unknown, type: string, path: string, walk: Walk): unknown {
  if (type === "Value") return raw;
  if (Object.hasOwn(MESSAGES, type) && isRecord(raw)) return checkMessage(raw, type, path, walk);
  if (type === "Struct" && isRecord(raw)) return raw;
  if (type.startsWith("=")) return checkEnum(raw, type.slice(1), path, walk);
  const problem = scalarProblem(raw, type);
  if (problem === undefined) return scalarValue(raw, type);
  const shown = problem === "" ? `(${typeName(type, walk.scope)}), ${JSON.stringify(raw)}` : problem;
  walk.problems.push({ rule: ruleOfValue(type, path), message: `Invalid value at '${path}' ${shown}`, field: path });
  return raw;
}

/** The value as the service parses it: numbers and booleans may be strings. */
function scalarValue(raw: unknown, type: string): unknown {
  if (typeof raw === "string" && /^(?:int32|int64|float|double)$/.test(type)) return Number(raw);
  return type === "bool" ? raw === true || raw === "true" : raw;
}

function checkEnum(raw: unknown, name: string, path: string, walk: Walk): unknown {
  const members = (ENUMS[name] ?? "").split(" ");
  if (typeof raw === "number" && Number.isInteger(raw)) return members[raw] ?? raw;
  if (typeof raw === "string" && members.includes(raw.toUpperCase())) return raw.toUpperCase();
  const message = `Invalid value at '${path}' (${typeName(name, walk.scope)}), ${JSON.stringify(raw)}`;
  walk.problems.push({ rule: "E-03", message, field: path });
  return raw;
}

function unknownName(key: string, path: string, reason: string): Problem {
  const at = path ? ` at '${path}'` : "";
  const message = `Invalid JSON payload received. Unknown name ${JSON.stringify(key)}${at}: ${reason}`;
  return { rule: ruleOfName(key, path, reason), message, ...(path ? { field: path } : {}) };
}

function ruleOfName(key: string, path: string, reason: string): string {
  const name = camelCase(key);
  const inSchema =
    /(?:^|\.)(?:parameters|response|response_schema)(?:$|[.[])/.test(path) && !/function_response/.test(path);
  if (reason !== "Cannot find field.") return inSchema && name === "type" ? "E-27" : "E-03b";
  if (inSchema) return "E-20";
  if (name === "thoughtSignature" && path.endsWith("function_call")) return "E-54";
  if (name === "id" && /function_(?:call|response)$/.test(path)) return "E-17";
  if (name === "includeServerSideToolInvocations") return "E-39";
  if (name === "thinkingLevel") return "E-66";
  return path ? "E-02" : "E-01";
}

function ruleOfValue(type: string, path: string): string {
  if (type === "bytes") return "E-03c";
  if (path.endsWith("function_response.response")) return "E-18";
  return /\.enum\[\d+\]$/.test(path) ? "E-24" : "E-03";
}

function typeName(type: string, scope: FieldScope): string {
  if (/^(?:string|bool|int32|int64|float|double|bytes)$/.test(type)) return `TYPE_${type.toUpperCase()}`;
  if (/^(?:Struct|Value|Duration|Timestamp)$/.test(type)) return `type.googleapis.com/google.protobuf.${type}`;
  const pack = scope.surface === "vertex" ? "google.cloud.aiplatform" : "google.ai.generativelanguage";
  return `type.googleapis.com/${pack}.${scope.apiVersion}.${type}`;
}

function camelCase(key: string): string {
  return key.replaceAll(/(?<=.)_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function snakeCase(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
