import { type OpenApiRoot, resolved } from "./document.ts";
import { isObject, type JsonObject, listAt, objectAt, textAt } from "./json.ts";
import type { FoundOperation } from "./operations.ts";
import { parameterObjects, schemaOfSwagger } from "./parameters.ts";

/** How a body is encoded. `text` is sent unchanged, with any media type. */
export type BodyKind = "json" | "form" | "multipart" | "text";

/** The body of an operation. */
export interface Body {
  readonly kind: BodyKind;
  readonly mediaType: string;
  readonly required: boolean;
  readonly description: string | undefined;
  readonly schema: unknown;
  /** How individual fields of a form are encoded, by name. */
  readonly encoding: JsonObject;
}

/** The body to send. Of the media types in the document, prefers JSON, then forms, then anything as text. */
export function bodyOf(document: OpenApiRoot, operation: FoundOperation): Body | undefined {
  return document.version === 2 ? bodyOfSwagger(document, operation) : bodyOfOpenApi(document, operation);
}

function bodyOfOpenApi({ root }: OpenApiRoot, { definition }: FoundOperation): Body | undefined {
  const given = resolved(root, definition["requestBody"]);
  const content = objectAt(given, "content");
  const mediaType = best(Object.keys(content));
  if (mediaType === undefined) return undefined;
  const media = resolved(root, content[mediaType]);
  return {
    ...kindOf(mediaType),
    required: given["required"] === true,
    description: textAt(given, "description"),
    schema: media["schema"] ?? {},
    encoding: objectAt(media, "encoding"),
  };
}

function bodyOfSwagger(document: OpenApiRoot, operation: FoundOperation): Body | undefined {
  const parameters = parameterObjects(document, operation);
  const consumes = [operation.definition["consumes"], document.root["consumes"], []].find((list) =>
    Array.isArray(list),
  );
  const types = (consumes as readonly unknown[]).map(String);
  const whole = parameters.find((one) => one["in"] === "body");
  if (whole !== undefined) {
    const { schema = {}, required, ...rest } = whole;
    const mediaType = best(types) ?? "application/json";
    const kind = kindOf(mediaType);
    const isForm = kind.kind === "form" || kind.kind === "multipart";
    return {
      ...(isForm ? kindOf("application/json") : kind),
      required: required === true,
      description: textAt(rest, "description"),
      schema,
      encoding: {},
    };
  }
  const fields = parameters.filter((one) => one["in"] === "formData");
  if (fields.length === 0) return undefined;
  const hasFile = fields.some((one) => one["type"] === "file");
  const mediaType =
    hasFile || (types.includes("multipart/form-data") && !types.includes(FORM)) ? "multipart/form-data" : FORM;
  return {
    ...kindOf(mediaType),
    required: fields.some((one) => one["required"] === true),
    description: undefined,
    schema: {
      type: "object",
      properties: Object.fromEntries(
        fields.map((one) => [String(one["name"]), { ...schemaOfSwagger(one), description: one["description"] }]),
      ),
      required: fields.filter((one) => one["required"] === true).map((one) => String(one["name"])),
    },
    encoding: {},
  };
}

const FORM = "application/x-www-form-urlencoded";

const PREFERRED: readonly RegExp[] = [
  /^application\/json\b/i,
  /^[^;]+\+json\b/i,
  /^application\/x-www-form-urlencoded\b/i,
  /^multipart\/form-data\b/i,
  /^text\/plain\b/i,
  /^text\//i,
];

function best(types: readonly string[]): string | undefined {
  for (const wanted of PREFERRED) {
    const found = types.find((type) => wanted.test(type));
    if (found !== undefined) return found;
  }
  return types[0];
}

function kindOf(mediaType: string): Pick<Body, "kind" | "mediaType"> {
  if (/^[^;]*[/+]json\b/i.test(mediaType)) return { kind: "json", mediaType };
  if (/^(?:\*|application)\/\*/.test(mediaType)) return { kind: "json", mediaType: "application/json" };
  if (mediaType.toLowerCase().startsWith(FORM)) return { kind: "form", mediaType: FORM };
  if (/^multipart\/form-data\b/i.test(mediaType)) return { kind: "multipart", mediaType };
  return { kind: "text", mediaType: mediaType.includes("*") ? "text/plain" : mediaType };
}

/** Media types of successful responses, best first. */
export function answerTypes(document: OpenApiRoot, operation: FoundOperation): readonly string[] {
  if (document.version === 2) {
    const produces = [operation.definition["produces"], document.root["produces"], []].find((list) =>
      Array.isArray(list),
    );
    return (produces as readonly unknown[]).map(String);
  }
  const { answer } = successOf(document, operation);
  return Object.keys(objectAt(answer, "content"));
}

/** The documented response of a successful call. */
export function successOf(
  { root }: OpenApiRoot,
  { definition }: FoundOperation,
): { readonly status: string; readonly answer: JsonObject } {
  const responses = objectAt(definition, "responses");
  const status = Object.keys(responses).find((code) => /^2(?:\d\d|XX)$/i.test(code)) ?? "default";
  return { status, answer: resolved(root, responses[status]) };
}

/** The schema of the response of a successful call; empty if there is none. */
export function successSchema(document: OpenApiRoot, operation: FoundOperation): JsonObject {
  const { answer } = successOf(document, operation);
  if (document.version === 2) return resolved(document.root, answer["schema"]);
  const content = objectAt(answer, "content");
  const media = content[best(Object.keys(content)) ?? ""];
  return isObject(media) ? resolved(document.root, media["schema"]) : {};
}

/** Names of an object's members, including those from `allOf`; at most `most`. */
export function memberNames({ root }: OpenApiRoot, schema: JsonObject, most: number): readonly string[] {
  const names = new Set(Object.keys(objectAt(schema, "properties")));
  for (const member of listAt(schema, "allOf")) {
    for (const name of Object.keys(objectAt(resolved(root, member), "properties"))) names.add(name);
  }
  return [...names].slice(0, most);
}
