import type { FileHandle } from "node:fs/promises";
import { encodingOf, type TextEncoding } from "./text-encoding.ts";

/** Bytes read at a time. */
const CHUNK_BYTES = 65_536;

/** A file's bytes in chunks; each chunk is valid only until the next one is requested. */
export async function* chunksOf(file: FileHandle, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let position = 0; ;) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

/** First bytes of common kinds of files, as Latin-1. */
const BEGINNINGS: readonly (readonly [beginning: string, kind: string])[] = [
  ["\x89PNG", "PNG image"],
  ["\xff\xd8\xff", "JPEG image"],
  ["GIF8", "GIF image"],
  ["%PDF", "PDF document"],
  ["PK\x03\x04", "ZIP archive or office document"],
  ["\x1f\x8b", "gzip archive"],
  ["\x7fELF", "executable"],
  ["MZ", "executable"],
  ["SQLite format 3", "SQLite database"],
  ["RIFF", "audio, video or WebP image"],
  ["OggS", "Ogg audio"],
  ["ID3", "MP3 audio"],
];

/** What a file contains, judged by its first bytes: text in some encoding, or another kind of file. */
export function contentOf(beginning: Uint8Array): { readonly encoding: TextEncoding } | { readonly kind: string } {
  const head = beginning.subarray(0, 8192);
  const start = String.fromCharCode(...head.subarray(0, 16));
  const kind = BEGINNINGS.find(([bytes]) => start.startsWith(bytes))?.[1];
  const encoding = encodingOf(head);
  // Text may begin with letters such as MZ, so a signature counts only if the bytes are not plain text.
  if (kind !== undefined && (encoding === undefined || encoding === "latin1" || kind === "PDF document"))
    return { kind };
  return encoding === undefined ? { kind: "binary file" } : { encoding };
}
