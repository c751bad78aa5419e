import { createHash } from "node:crypto";

/** An id as bytes in hexadecimal: big-endian UTF-16, which holds any string and sorts by code unit. */
export function keyOf(id: string): string {
  return Buffer.from(id, "utf16le").swap16().toString("hex");
}

export function idOf(key: string): string {
  return Buffer.from(key, "hex").swap16().toString("utf16le");
}

/** The hash by which a string of any length is found: the SHA-256 of its key, in hexadecimal. */
export function hashOf(text: string): string {
  return createHash("sha256").update(Buffer.from(text, "utf16le").swap16()).digest("hex");
}

/** The hashes by which the pairs of some metadata are found. */
export function hashesOf(metadata: { readonly [name: string]: string }): readonly string[] {
  return Object.entries(metadata).map((pair) => hashOf(JSON.stringify(pair)));
}

/** The first key after all keys that begin with one; `undefined` when there is none. */
export function endOfPrefix(key: string): string | undefined {
  const bytes = Buffer.from(key, "hex");
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0xff) end--;
  if (end === 0) return undefined;
  const next = Buffer.from(bytes.subarray(0, end));
  next[end - 1] = (next[end - 1] ?? 0) + 1;
  return next.toString("hex");
}

/** An id as a column of text can hold it, for people who look at the table. */
export function readableId(id: string): string {
  return id.replaceAll("\0", "\ufffd");
}
