import { resolved, type OpenApiRoot } from "./document.ts";
import { isObject, type JsonObject, listAt, objectAt, textAt } from "./json.ts";
import type { OpenApiOperation } from "./options.ts";

/** An operation and its entry in the document. */
export interface FoundOperation extends OpenApiOperation {
  /** The preferred name for its tool, which may not be valid. */
  readonly wantedName: string;
  /** The entry of the path, with the settings that its operations share. */
  readonly item: JsonObject;
  readonly definition: JsonObject;
}

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch"] as const;

/** All operations, in the document's order. Doesn't read their schemas. */
export function operationsOf({ root }: OpenApiRoot): readonly FoundOperation[] {
  const operations: FoundOperation[] = [];
  const ids = new Set<string>();
  const names = new Set<string>();
  for (const [path, entry] of Object.entries(objectAt(root, "paths"))) {
    if (!path.startsWith("/")) continue;
    const item = resolved(root, entry);
    for (const method of METHODS) {
      const definition = item[method];
      if (!isObject(definition)) continue;
      const own = textAt(definition, "operationId");
      const id = own === undefined || ids.has(own) ? `${method.toUpperCase()} ${path}` : own;
      ids.add(id);
      const made =
        id === own
          ? id
          : `${method}_${path
              .replaceAll(/[^A-Za-z0-9]+/g, " ")
              .trim()
              .replaceAll(" ", "_")}`;
      const wantedName = names.has(made) ? id : made;
      names.add(wantedName);
      operations.push({
        id,
        wantedName,
        method: method.toUpperCase(),
        path,
        // A document may list anything as tags.
        tags: listAt(definition, "tags").filter((tag) => typeof tag === "string"),
        summary: textAt(definition, "summary") ?? "",
        deprecated: definition["deprecated"] === true,
        item,
        definition,
      });
    }
  }
  return operations;
}

/** The operation, as users of the library see it. */
export function shown({ id, method, path, tags, summary, deprecated }: OpenApiOperation): OpenApiOperation {
  return { id, method, path, tags, summary, deprecated };
}

/** Whether the method only reads. */
export function reads({ method }: OpenApiOperation): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}
