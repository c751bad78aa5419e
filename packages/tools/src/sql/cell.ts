/** Bytes of a blob that are shown. */
const BLOB_BYTES = 16;

/**
 * A database value as JSON: integers that JSON can't represent exactly become strings, dates ISO 8601, blobs a description,
 * and long strings are visibly truncated.
 */
export function cellOf(value: unknown, maxCharacters: number): unknown {
  switch (typeof value) {
    case "bigint":
      return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value);
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "string":
      return cutCell(value, maxCharacters);
    case "object":
      return value === null ? null : objectCell(value, maxCharacters);
    case "boolean":
      return value;
    default:
      return null;
  }
}

function objectCell(value: object, maxCharacters: number): unknown {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "invalid date" : value.toISOString();
  if (value instanceof ArrayBuffer) return blobCell(new Uint8Array(value));
  if (ArrayBuffer.isView(value)) return blobCell(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  const text = JSON.stringify(value, (_key, member: unknown) => (typeof member === "bigint" ? String(member) : member));
  if (text === undefined) return null;
  return text.length <= maxCharacters ? (JSON.parse(text) as unknown) : cutCell(text, maxCharacters);
}

function blobCell(bytes: Uint8Array): string {
  const start = [...bytes.subarray(0, BLOB_BYTES)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `[${bytes.length} bytes: ${start}${bytes.length > BLOB_BYTES ? "…" : ""}]`;
}

function cutCell(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  const kept = text.slice(0, maxCharacters).replace(/[\ud800-\udbff]$/, "");
  return `${kept}… [${text.length - kept.length} more characters]`;
}
