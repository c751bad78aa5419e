import { type OpenApiRoot, resolved } from "./document.ts";
import { isObject, type JsonObject, listAt, objectAt, textAt } from "./json.ts";
import type { FoundOperation } from "./operations.ts";
import { TooComplexError } from "./work.ts";

/** Where a value is sent. */
export type Place = "path" | "query" | "header" | "cookie";

/** How a list or an object is encoded. Only Swagger 2.0 has `tabDelimited`. */
export type Style =
  | "simple"
  | "label"
  | "matrix"
  | "form"
  | "spaceDelimited"
  | "pipeDelimited"
  | "tabDelimited"
  | "deepObject";

/** A parameter outside the body, with the document's defaults filled in. */
export interface Parameter {
  readonly name: string;
  readonly in: Place;
  readonly required: boolean;
  readonly description: string | undefined;
  readonly schema: unknown;
  readonly style: Style;
  readonly explode: boolean;
  /** Whether `:/?#[]@!$&'()*+,;=` stay unencoded. */
  readonly allowReserved: boolean;
  /** Whether the value is encoded as JSON. */
  readonly isJson: boolean;
  /** Whether it is a path parameter that may contain several segments. */
  readonly isPath: boolean;
}

/** A service would refuse more, too: together they are longer than a URL may be. */
const MOST_PARAMETERS = 1_000;

const STYLES: ReadonlySet<string> = new Set<Style>([
  "simple",
  "label",
  "matrix",
  "form",
  "spaceDelimited",
  "pipeDelimited",
  "deepObject",
]);

const COLLECTIONS: { readonly [format: string]: Style } = {
  ssv: "spaceDelimited",
  tsv: "tabDelimited",
  pipes: "pipeDelimited",
};

/** Headers that belong to the request itself; the specification says to ignore the first three. */
const NOT_OFFERED =
  /^(?:accept|content-type|authorization|cookie|host|content-length|connection|transfer-encoding|upgrade|te|trailer|expect|keep-alive|proxy-.*)$/i;

/** The parameters of an operation and its path, unresolved; if both define the same one, the operation's. */
export function parameterObjects({ root }: OpenApiRoot, { item, definition }: FoundOperation): readonly JsonObject[] {
  const found = new Map<string, JsonObject>();
  for (const given of [...listAt(item, "parameters"), ...listAt(definition, "parameters")]) {
    const parameter = resolved(root, given);
    const name = textAt(parameter, "name");
    if (name !== undefined) found.set(`${String(parameter["in"])} ${name}`, parameter);
  }
  return [...found.values()];
}

/**
 * The parameters outside the body, path parameters first.
 *
 * @throws {TooComplexError} If there are too many to describe.
 * @see https://spec.openapis.org/oas/v3.1.0#parameter-object
 */
export function parametersOf(document: OpenApiRoot, operation: FoundOperation): readonly Parameter[] {
  const found = parameterObjects(document, operation).flatMap((one) => parameterOf(one));
  const names = new Set([...operation.path.matchAll(/\{([^{}]+)\}/g)].map(([, name = ""]) => name));
  if (found.length + names.size > MOST_PARAMETERS) throw new TooComplexError("it has too many parameters");
  // A name in the path is required even if the document doesn't describe it.
  for (const name of names) {
    if (!found.some((one) => one.in === "path" && one.name === name))
      found.unshift(...parameterOf({ name, in: "path", required: true, schema: { type: "string" } }));
  }
  const order: readonly Place[] = ["path", "query", "header", "cookie"];
  return order.flatMap((place) => found.filter((one) => one.in === place));
}

function parameterOf(parameter: JsonObject): Parameter[] {
  const place = parameter["in"];
  const name = textAt(parameter, "name") ?? "";
  if (place !== "path" && place !== "query" && place !== "header" && place !== "cookie") return [];
  if (place === "header" && NOT_OFFERED.test(name)) return [];
  const [media] = Object.values(objectAt(parameter, "content"));
  const style = styleOf(parameter, place);
  return [
    {
      name,
      in: place,
      required: place === "path" || parameter["required"] === true,
      description: textAt(parameter, "description"),
      schema: isObject(media) ? media["schema"] : (parameter["schema"] ?? schemaOfSwagger(parameter)),
      style,
      explode: explodes(parameter, style),
      allowReserved: parameter["allowReserved"] === true,
      isJson: isObject(media),
      isPath: parameter["x-multi-segment"] === true,
    },
  ];
}

function styleOf(parameter: JsonObject, place: Place): Style {
  const given = textAt(parameter, "style");
  if (given !== undefined && STYLES.has(given)) return given as Style;
  const collection = COLLECTIONS[textAt(parameter, "collectionFormat") ?? ""];
  return collection ?? (place === "query" || place === "cookie" ? "form" : "simple");
}

function explodes(parameter: JsonObject, style: Style): boolean {
  if (typeof parameter["explode"] === "boolean") return parameter["explode"];
  // Swagger 2.0 has the type next to the name, and joins lists with commas unless it says "multi".
  if (parameter["schema"] === undefined && parameter["content"] === undefined)
    return parameter["collectionFormat"] === "multi";
  return style === "form" || style === "deepObject";
}

/** In Swagger 2.0, all fields of a parameter that don't describe the parameter itself belong to the schema. */
export function schemaOfSwagger(parameter: JsonObject): JsonObject {
  const {
    name: _,
    in: _in,
    required: _required,
    description: _description,
    collectionFormat: _format,
    ...schema
  } = parameter;
  return schema;
}
