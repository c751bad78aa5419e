/** Bytes of a page that are searched for its charset. */
const HEAD_BYTES = 2_048;

/**
 * Decodes text: by its byte order mark, then by the header, then by the charset a page declares, then as UTF-8, or as
 * Windows-1252 if it is not valid UTF-8.
 */
export function decodeText(bytes: Uint8Array, contentType: string): string {
  const named = /charset\s*=\s*"?([\w:.-]+)/i.exec(contentType)?.[1];
  const label = markOf(bytes) ?? known(named) ?? known(declaredIn(bytes));
  if (label !== undefined) return new TextDecoder(label).decode(bytes);
  try {
    // The last character may be truncated.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

function markOf([first, second, third]: Uint8Array): string | undefined {
  if (first === 0xef && second === 0xbb && third === 0xbf) return "utf-8";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  return first === 0xff && second === 0xfe ? "utf-16le" : undefined;
}

function declaredIn(bytes: Uint8Array): string | undefined {
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, HEAD_BYTES));
  const label = /<(?:meta[^>]*?charset|\?xml[^>]*?encoding)\s*=\s*["']?\s*([\w:.-]+)/i.exec(head)?.[1];
  // A page whose declaration is readable as ASCII is not UTF-16.
  return label !== undefined && /^utf-?16/i.test(label) ? "utf-8" : label;
}

function known(label: string | undefined): string | undefined {
  if (label === undefined) return undefined;
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return undefined;
  }
}
