import { present, tryOr } from "../internal/json.ts";
import { detectMimeType, guessMimeType } from "../internal/mime-type.ts";
import { MEDIA_KIND, type Media } from "../model/request/check-contents.ts";
import type { MediaResolution } from "../wire/types/generate-content.ts";
import type { GeminiFile } from "../wire/types/resources.ts";

/** Synchronous sources of {@link media}; a web `Blob` is read asynchronously. */
export type MediaSource = Uint8Array | ArrayBuffer | string | URL | GeminiFile;

/** Options of {@link media}. */
export interface MediaOptions {
  /** IANA media type, such as `image/png`. @defaultValue by the first bytes, the blob's type, or the name's extension */
  readonly mimeType?: string | undefined;
  /** Shown to the model in a tool's result; not sent in a run's input. @defaultValue the name of a web `File` */
  readonly displayName?: string | undefined;
  /** Determines the tokens per image, page or frame; Gemini 3 and newer. @defaultValue that of the request */
  readonly mediaResolution?: MediaResolution | "MEDIA_RESOLUTION_ULTRA_HIGH" | undefined;
  /** Which part of a video is processed, and at what frame rate. */
  readonly videoMetadata?:
    | {
        /** Seconds from the start. @defaultValue 0 */
        readonly startOffset?: number | undefined;
        /** Seconds from the start. @defaultValue the end of the video */
        readonly endOffset?: number | undefined;
        /** Frames per second, above 0 and up to 24. @defaultValue 1 */
        readonly fps?: number | undefined;
      }
    | undefined;
}

/**
 * Makes a file that the model sees: in a run's input (`agent.run(["What is this?", media(bytes)])`), or anywhere inside a tool's result.
 * @param source - Bytes; base64 or a `data:` URL; a `URL`, `https:` or `gs:` address that the service can reach; a file of the Files API;
 * or a web `Blob` or `File`, for which a promise is returned.
 * @param options - The media type alone, or options.
 * @throws {TypeError} Without bytes, for a path or text that is not base64, an unknown media type, or an option out of range.
 * @example
 * ```ts
 * const picture = await readFile("oslo.png");
 * const { text } = await agent.run(["What is in this picture?", media(picture)]);
 * ```
 */
export function media<Source extends MediaSource | Blob>(
  source: Source,
  options?: string | MediaOptions,
  more?: Omit<MediaOptions, "mimeType">,
): Source extends Blob ? Promise<Media> : Media;
// Callers see only the signature above, so TypeScript reports a mistake at its place.
export function media(
  source: MediaSource | Blob,
  options: string | MediaOptions = {},
  more: Omit<MediaOptions, "mimeType"> = {},
): Media | Promise<Media> {
  const wanted = typeof options === "string" ? { mimeType: options, ...more } : options;
  return source instanceof Blob ? mediaFromBlob(source, wanted) : buildMedia(source, wanted);
}

async function mediaFromBlob(blob: Blob, options: MediaOptions): Promise<Media> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const name = "name" in blob && typeof blob.name === "string" && blob.name !== "" ? blob.name : undefined;
  const mimeType = options.mimeType ?? (blob.type || (detectMimeType(bytes) ?? guessMimeType(name ?? "")));
  return buildMedia(bytes, { ...options, mimeType, displayName: options.displayName ?? name });
}

function buildMedia(source: MediaSource, options: MediaOptions): Media {
  const found = findMedia(source);
  const mimeType = options.mimeType ?? found.mimeType;
  if (mimeType === undefined)
    throw new TypeError('media(): cannot detect the media type: pass it as mimeType, such as "text/plain"');
  if (!/^[\w.+-]+\/[\w.+-]+/.test(mimeType))
    throw new TypeError(`media(): "${mimeType}" is not a media type such as "image/png"`);
  if (found.data === "") throw new TypeError("media(): the source has no bytes; is the file empty?");
  const displayName = options.displayName ?? found.displayName;
  const { mediaResolution: level } = options;
  const videoMetadata = options.videoMetadata && buildVideoMetadata(options.videoMetadata);
  return {
    kind: MEDIA_KIND,
    mimeType,
    ...(found.fileUri === undefined ? { data: found.data ?? "" } : { fileUri: found.fileUri }),
    ...present({ displayName, mediaResolution: level === undefined ? undefined : { level }, videoMetadata }),
  };
}

type Found = { readonly [Field in "mimeType" | "data" | "fileUri" | "displayName"]?: string | undefined };

function findMedia(source: MediaSource): Found {
  if (source instanceof Uint8Array) return { data: toBase64(source), mimeType: detectMimeType(source) };
  if (source instanceof ArrayBuffer) return findMedia(new Uint8Array(source));
  if (source instanceof URL) return findInText(source.href);
  if (typeof source === "string") return findInText(source);
  if (typeof source.uri !== "string" || source.uri === "")
    throw new TypeError("media(): the source must be bytes, base64, a URL, a Blob, or an uploaded file");
  if (source.state === "FAILED") throw new TypeError(`media(): the service could not process ${source.name}`);
  return { fileUri: source.uri, mimeType: source.mimeType, displayName: source.displayName };
}

/** The address of a YouTube page refers to its video. */
function findAddress(address: string): Found {
  const { hostname, pathname } = new URL(address);
  const isVideo = /^(?:(?:www\.|m\.)?youtube\.com|youtu\.be)$/.test(hostname);
  return { fileUri: address, mimeType: isVideo ? "video/mp4" : guessMimeType(pathname) };
}

/** Base64, a `data:` URL or an address. A path is none of them. */
function findInText(text: string): Found {
  const scheme = /^[a-z][a-z\d+.-]*(?=:)/i.exec(text)?.[0].toLowerCase();
  if (scheme === undefined) return findInBase64(text);
  if (scheme === "data") {
    const [head, mimeType] = /^data:([^,;]*)[^,]*;base64,/i.exec(text) ?? [];
    if (head === undefined)
      throw new TypeError("media(): a data: URL must be in base64; for a text, pass it as a string");
    return findInBase64(text.slice(head.length), mimeType);
  }
  if (["http", "https", "gs"].includes(scheme)) return findAddress(text);
  if (scheme === "blob")
    throw new TypeError(
      "media(): only this page can read a blob: URL; use `await media(await (await fetch(url)).blob())`",
    );
  if (scheme === "file" || scheme.length === 1) throw pathError(text);
  throw new TypeError(`media(): the service cannot read ${scheme}: URLs; use https: or gs:, or pass the bytes`);
}

/** @param mimeType - May be empty. */
function findInBase64(data: string, mimeType?: string): Found {
  // A sample distinguishes a path or raw bytes from base64 at little cost for large files.
  const sample = data.slice(0, 4_096);
  if (/^[\w+/=\r\n-]*$/.test(sample)) return { data, mimeType: mimeType || detectMimeType(firstBytes(data)) };
  if (/^(?:\S*[/\\].*|\S+\.\w{1,5})$/.test(sample)) throw pathError(data);
  throw new TypeError("media(): the text is not base64; pass the bytes as a Uint8Array, or a URL");
}

function pathError(text: string): TypeError {
  return new TypeError(
    `media(): ${JSON.stringify(text.slice(0, 100))} is a path; read the file: await media(await fileFromPath(…)), with fileFromPath from "@pollux/core/node"`,
  );
}

function firstBytes(base64: string): Uint8Array {
  const sample = base64
    .slice(0, 88)
    .replaceAll(/[\r\n=]/g, "")
    .replaceAll("-", "+")
    .replaceAll("_", "/");
  const binary = tryOr(() => atob(sample.slice(0, sample.length & ~3)), "");
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function buildVideoMetadata({
  startOffset,
  endOffset,
  fps,
}: NonNullable<MediaOptions["videoMetadata"]>): Media["videoMetadata"] {
  for (const [name, seconds] of Object.entries({ startOffset, endOffset }))
    if (seconds !== undefined && !(Number.isFinite(seconds) && seconds >= 0))
      throw new TypeError(`media(): videoMetadata.${name} must be seconds from the start, got ${seconds}`);
  if (endOffset !== undefined && endOffset <= (startOffset ?? 0))
    throw new TypeError("media(): videoMetadata.endOffset must be after startOffset");
  if (fps !== undefined && !(fps > 0 && fps <= 24))
    throw new TypeError(`media(): videoMetadata.fps must be frames per second above 0 and up to 24, got ${fps}`);
  return present({ startOffset: duration(startOffset), endOffset: duration(endOffset), fps });
}

/** Seconds in wire format: at most nine decimals, no exponent. */
function duration(seconds: number | undefined): string | undefined {
  return seconds === undefined ? undefined : `${seconds.toFixed(9).replace(/\.?0+$/, "")}s`;
}

/** Bytes per `String.fromCharCode` call: well below every engine's limit on arguments. */
const CHUNK = 0x8000;

/** Encodes bytes as standard base64, natively where supported. */
export function toBase64(bytes: Uint8Array): string {
  // Not in every supported runtime, so not in the type library.
  const native = (bytes as { readonly toBase64?: () => string }).toBase64;
  if (typeof native === "function") return native.call(bytes);
  let binary = "";
  for (let at = 0; at < bytes.length; at += CHUNK) binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(binary);
}
