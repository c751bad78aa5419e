import { isObject } from "../internal/json.ts";
import type { Source } from "./sources.ts";

/** A source that has no number yet, and what makes it the same source when it comes again. */
export interface FoundSource {
  readonly key: string;
  readonly source: Omit<Source, "number">;
}

/** Reads a grounding chunk of any kind; one of an unknown kind is kept as `other`, with its `uri` and `title` when it has them. */
export function sourceOfChunk(chunk: unknown): FoundSource {
  const [kind, fields] = kindOf(chunk);
  const uri = textAt(fields, "uri");
  const title = textAt(fields, "title");
  switch (kind) {
    case "web":
      return found(chunk, "web", uri, title, uri);
    case "image": {
      const page = textAt(fields, "sourceUri") ?? textAt(fields, "imageUri");
      // One page can show many images, and each is a source of its own.
      return found(chunk, "image", page, title, prefixed("image", textAt(fields, "imageUri")) ?? page);
    }
    case "maps":
      return found(chunk, "maps", uri, title, prefixed("place", textAt(fields, "placeId")) ?? uri);
    case "retrievedContext": {
      const name = textAt(fields, "documentName");
      const inStore =
        title === undefined ? undefined : prefixed("stored", `${textAt(fields, "fileSearchStore") ?? ""} ${title}`);
      return found(chunk, "document", uri, title ?? name, uri ?? prefixed("document", name) ?? inStore);
    }
    default:
      return found(chunk, "other", uri, title, uri);
  }
}

/** A page that the service read because its address stood in the conversation. */
export function sourceOfUrl(retrieved: { readonly retrievedUrl: string }): FoundSource {
  return found(retrieved, "url", retrieved.retrievedUrl, undefined, retrieved.retrievedUrl);
}

function kindOf(chunk: unknown): readonly [string | undefined, Record<string, unknown>] {
  if (!isObject(chunk)) return [undefined, {}];
  for (const kind of ["web", "image", "maps", "retrievedContext"]) {
    const fields = chunk[kind];
    if (isObject(fields)) return [kind, fields];
  }
  return [undefined, Object.values(chunk).find(isObject) ?? {}];
}

function found(
  chunk: unknown,
  kind: Source["kind"],
  uri: string | undefined,
  title: string | undefined,
  key: string | undefined,
): FoundSource {
  return {
    key: key ?? `chunk:${JSON.stringify(chunk)}`,
    source: { kind, ...(uri === undefined ? {} : { uri }), ...(title === undefined ? {} : { title }), chunk },
  };
}

function textAt(fields: Record<string, unknown>, name: string): string | undefined {
  const value = fields[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function prefixed(prefix: string, value: string | undefined): string | undefined {
  return value === undefined ? undefined : `${prefix}:${value}`;
}
