import { openAsBlob } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { detectMimeType, guessMimeType } from "../internal/mime-type.ts";

/**
 * A file of this machine as a web `File`, for `uploadFile` and `media`. Its bytes are read when they are needed and not
 * kept, so its size does not matter.
 *
 * @param path - Must not change while the file is in use: reading it then fails.
 * @param options - `mimeType`: by default by its first bytes, else by its extension, else empty.
 * @throws {Error} Node's own, such as `ENOENT`, when there is no file to read.
 */
export async function fileFromPath(
  path: string | URL,
  options: { readonly mimeType?: string | undefined } = {},
): Promise<File> {
  const { mtimeMs } = await stat(path); // says ENOENT, where openAsBlob has no code
  const blob = await openAsBlob(path);
  const name = basename(path instanceof URL ? fileURLToPath(path) : path);
  const head = new Uint8Array(await blob.slice(0, 64).arrayBuffer());
  const type = options.mimeType ?? detectMimeType(head) ?? guessMimeType(name) ?? "";
  return new File([blob], name, { type, lastModified: Math.round(mtimeMs) });
}
