import { HttpError } from "@pollux/core/serving";
import { inlineMedia } from "../inspection/media.ts";
import { PRIVATE } from "./http.ts";

/**
 * Media that a person looks at or downloads: no type that a browser would run, and in a sandbox.
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
