/** What a response contains. */
export type ContentKind = "html" | "json" | "text" | "pdf" | "image" | "other";

/** Bytes examined if nothing else determines the kind. */
const SAMPLE_BYTES = 1_024;

/** Image types the service accepts. */
const IMAGES: ReadonlySet<string> = new Set(["image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"]);

/** The media type alone, in lower case; empty when there is none. */
export function mediaTypeOf(contentType: string): string {
  return (contentType.split(";")[0] ?? "").trim().toLowerCase();
}

/** The kind by the media type, or by the first bytes if that is absent or generic. */
export function kindOfContent(contentType: string, bytes: Uint8Array): ContentKind {
  const type = mediaTypeOf(contentType);
  if (type === "text/html" || type === "application/xhtml+xml") return "html";
  if (/^(?:application|text)\/(?:[\w.+-]+\+)?json$/.test(type)) return "json";
  if (type === "application/pdf" || type === "application/x-pdf") return "pdf";
  if (IMAGES.has(type)) return "image";
  const isText =
    /^text\/|[/+](?:xml|yaml|x-yaml|javascript|ecmascript|x-ndjson|x-www-form-urlencoded|toml|sql|graphql)$/.test(type);
  if (isText) return "text";
  return type === "" || type === "application/octet-stream" || !/^[\w.+-]+\/[\w.+-]+$/.test(type)
    ? sniff(bytes)
    : "other";
}

function sniff(bytes: Uint8Array): ContentKind {
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  const start = new TextDecoder("latin1")
    .decode(sample)
    .replace(/^\u00ef\u00bb\u00bf/, "")
    .trimStart();
  if (start.startsWith("%PDF-")) return "pdf";
  if (imageTypeOf(bytes) !== undefined) return "image";
  if (/^(?:<!--[^>]*>\s*)*<(?:!doctype html|html|head|body|title|meta|div|p|h1)\b/i.test(start)) return "html";
  const isWide = /^(?:\u00ff\u00fe|\u00fe\u00ff)/.test(start);
  if (sample.includes(0) && !isWide) return "other";
  return /^[[{]/.test(start) ? "json" : "text";
}

/** Type of an image, from its first bytes. */
export function imageTypeOf(bytes: Uint8Array): string | undefined {
  if (hasAt(bytes, 0, [0x89, 0x50, 0x4e, 0x47])) return "image/png";
  if (hasAt(bytes, 0, [0xff, 0xd8, 0xff])) return "image/jpeg";
  const isWebp = hasAt(bytes, 0, [0x52, 0x49, 0x46, 0x46]) && hasAt(bytes, 8, [0x57, 0x45, 0x42, 0x50]);
  return isWebp ? "image/webp" : undefined;
}

function hasAt(bytes: Uint8Array, offset: number, wanted: readonly number[]): boolean {
  return wanted.every((byte, index) => bytes[offset + index] === byte);
}
