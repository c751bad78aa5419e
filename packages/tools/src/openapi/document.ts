import { ConfigurationError } from "@pollux/core";
import { isObject, type JsonObject } from "./json.ts";

/** A checked OpenAPI document. */
export interface OpenApiRoot {
  readonly root: JsonObject;
  /** 2 for Swagger 2.0, 3 for OpenAPI 3.0 and later. */
  readonly version: 2 | 3;
}

/** Longest reference, in characters. */
const MAX_REF = 2_000;

/** Longest chain of references. */
const MAX_STEPS = 32;

/**
 * @param document - The document as an object, or as its JSON text.
 * @throws {ConfigurationError} For anything else; the message says what to do.
 */
export function readDocument(document: unknown): OpenApiRoot {
  const root = typeof document === "string" ? parsed(document) : document;
  if (!isObject(root)) throw new ConfigurationError("An OpenAPI document must be an object or its JSON text.");
  const given = root["openapi"] ?? root["swagger"];
  const version = typeof given === "string" || typeof given === "number" ? String(given) : "";
  if (!/^(?:2(?:\.0)?$|3\.\d)/.test(version)) {
    throw new ConfigurationError(
      version === ""
        ? 'This is not an OpenAPI document: it has neither "openapi" nor "swagger". Pass the document itself, not its URL.'
        : `OpenAPI ${version.slice(0, 20)} is not supported; 3.x and Swagger 2.0 are.`,
    );
  }
  return { root, version: version.startsWith("2") ? 2 : 3 };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const isYaml = /^\s*(?:#[^\n]*\n\s*|---\s*)*(?:openapi|swagger|info)\s*:/.test(text);
    throw new ConfigurationError(
      isYaml
        ? 'This OpenAPI document is YAML, which is not supported. Parse it first: openApiTools(parse(text)) with `parse` from the package "yaml".'
        : `This OpenAPI document is not JSON: ${error instanceof Error ? error.message.slice(0, 200) : "it cannot be parsed"}. Pass the object or its JSON text.`,
      { cause: error },
    );
  }
}

/** The target of a `#/…` reference; `undefined` if it doesn't exist, or is outside the document. */
export function follow(root: JsonObject, ref: string): unknown {
  if (ref === "#" || ref === "#/") return root;
  if (!ref.startsWith("#/") || ref.length > MAX_REF) return undefined;
  let target: unknown = root;
  for (const key of ref.slice(2).split("/").map(unescaped)) {
    if (typeof target !== "object" || target === null || !Object.hasOwn(target, key)) return undefined;
    // Own members only, as checked above; a list is indexed by number.
    target = (target as JsonObject)[key];
  }
  return target;
}

/** The object itself, or the one that it refers to; empty if that doesn't exist. */
export function resolved(root: JsonObject, value: unknown): JsonObject {
  let at = value;
  for (let step = 0; step < MAX_STEPS && isObject(at) && typeof at["$ref"] === "string"; step++) {
    at = follow(root, at["$ref"]);
  }
  return isObject(at) && typeof at["$ref"] !== "string" ? at : {};
}

function unescaped(key: string): string {
  const pointer = key.replaceAll("~1", "/").replaceAll("~0", "~");
  try {
    return decodeURIComponent(pointer);
  } catch {
    return pointer;
  }
}
