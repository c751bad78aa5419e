import { HttpError } from "@pollux/core/serving";
import { fieldsOf, textOf } from "../inspection/read-values.ts";
import { PRIVATE } from "./http.ts";

/**
 * Media to view or download: in a sandbox, and never with a type that a browser would execute.
 *
 * @param query - `position` of the entry, and the `path` in it.
 * @throws {HttpError}
 */
export function mediaResponse(entries: readonly unknown[], query: URLSearchParams): Response {
  const media = inlineMedia(entries, Number(query.get("position")), query.get("path") ?? "");
  if (media === undefined) throw new HttpError(404, "not_found", "There are no media at this place.");
  const isShown = /^(?:image\/(?:png|jpeg|gif|webp|avif|heic|heif|bmp)|audio\/[\w.+-]+|video\/[\w.+-]+)$/.test(
    media.mimeType,
  );
  return new Response(media.bytes, {
    headers: {
      ...PRIVATE,
      "content-type": isShown ? media.mimeType : "application/octet-stream",
      ...(!isShown && { "content-disposition": "attachment" }),
    },
  });
}

/**
 * Inline media of a log.
 *
 * @param position - Of the entry.
 * @param path - The keys from the entry to the blob, joined by `/`.
 * @returns Undefined when there are none at this place.
 */
export function inlineMedia(
  entries: readonly unknown[],
  position: number,
  path: string,
): { readonly mimeType: string; readonly bytes: Uint8Array<ArrayBuffer> } | undefined {
  const keys = path.split("/");
  // Nothing else of an entry can be read as bytes.
  if (keys.at(-1) !== "inlineData") return undefined;
  let value: unknown = entries[position];
  for (const key of keys) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as { readonly [key: string]: unknown })[key];
  }
  const { mimeType, data } = fieldsOf(value);
  const bytes = typeof data === "string" ? decodeBase64(data) : undefined;
  return bytes === undefined ? undefined : { mimeType: textOf(mimeType) ?? "", bytes };
}

function decodeBase64(data: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const binary = atob(data.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
