import { createHash } from "node:crypto";

/** The marks that replace a secret or a project in a recording. */
const REDACTED = /\[redacted\]|(?<=projects\/)PROJECT\b/;
const SHORT_BLOB = 256;
const HASH = 64;

/**
 * Whether a text matches the recorded one. Redacted places match anything; shortened base64 (its beginning, then the SHA-256 of
 * the bytes in hex, 256 characters in total) matches the full text.
 */
export function sameText(recorded: string, received: string): boolean {
  if (recorded === received) return true;
  if (recorded.length === SHORT_BLOB && received.length > SHORT_BLOB) return isShortened(recorded, received);
  const pieces = recorded.split(REDACTED);
  const [first = "", ...rest] = pieces;
  const last = rest.pop();
  if (last === undefined || !received.startsWith(first)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = received.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return received.length - last.length >= at && received.endsWith(last);
}

function isShortened(short: string, whole: string): boolean {
  const head = SHORT_BLOB - HASH;
  if (!whole.startsWith(short.slice(0, head))) return false;
  return createHash("sha256").update(Buffer.from(whole, "base64")).digest("hex") === short.slice(head);
}
