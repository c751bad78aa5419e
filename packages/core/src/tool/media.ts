import { toBase64 } from "./base64.ts";

const KIND = "@pollux/media";

/** An image, a document or another file in a tool's result. JSON-safe; made by {@link media}. */
export interface MediaResult {
  readonly kind: typeof KIND;
  readonly mimeType: string;
  /** Base64; absent when `fileUri` is there. */
  readonly data?: string | undefined;
  /** Where the service can fetch it: Files API URI or public HTTPS URL. */
  readonly fileUri?: string | undefined;
  readonly displayName?: string | undefined;
}

/**
 * Marks bytes, base64 text or the URL of a file as media, so that the model sees it and does not read it as text.
 * A tool returns it alone, in an array, or anywhere inside its result.
 *
 * @param data - Bytes, base64 (a `data:` URL is taken too), or a `URL` that the service can reach.
 * @param mimeType - IANA media type, such as `image/png`.
 * @throws {TypeError} When the text is not base64 or the media type is none.
 */
export function media(
  data: Uint8Array | ArrayBuffer | string | URL,
  mimeType: string,
  options: { readonly displayName?: string | undefined } = {},
): MediaResult {
  if (!/^[\w.+-]+\/[\w.+-]+/.test(mimeType))
    throw new TypeError(`media(): "${mimeType}" is not a media type such as "image/png"`);
  const name = options.displayName === undefined ? {} : { displayName: options.displayName };
  if (data instanceof URL && data.protocol !== "data:") return { kind: KIND, mimeType, fileUri: data.href, ...name };
  return { kind: KIND, mimeType, data: base64Of(data), ...name };
}

/** True for what {@link media} made, also after a trip through JSON. */
export function isMedia(value: unknown): value is MediaResult {
  if (typeof value !== "object" || value === null || !("kind" in value) || value.kind !== KIND) return false;
  const { mimeType, data, fileUri } = value as {
    readonly mimeType?: unknown;
    readonly data?: unknown;
    readonly fileUri?: unknown;
  };
  return typeof mimeType === "string" && (typeof data === "string") !== (typeof fileUri === "string");
}

function base64Of(data: Uint8Array | ArrayBuffer | string | URL): string {
  if (data instanceof Uint8Array) return toBase64(data);
  if (data instanceof ArrayBuffer) return toBase64(new Uint8Array(data));
  const text = (data instanceof URL ? data.href : data).replace(/^data:[^,]*;base64,/, "");
  // A sample is enough to tell a path or raw bytes from base64, and keeps large files cheap.
  if (!/^[\w+/=\r\n-]*$/.test(text.slice(0, 4_096)))
    throw new TypeError("media(): the text is not base64; pass the bytes as a Uint8Array, or a URL");
  return text;
}
