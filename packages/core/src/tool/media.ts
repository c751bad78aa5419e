import { detectMimeType, guessMimeType } from "../internal/mime-type.ts";
import type { Part } from "../wire/types/content.ts";
import type { GeminiFile } from "../wire/types/resources.ts";

const KIND = "@pollux/media";

/**
 * An image, a document, a sound, a video or another file: in what a run is asked, or in a tool's result. JSON-safe; made
 * by {@link media}.
 */
export interface Media extends Pick<Part, "mediaResolution" | "videoMetadata"> {
  readonly kind: typeof KIND;
  readonly mimeType: string;
  /** Base64; absent when `fileUri` is there. */
  readonly data?: string | undefined;
  /** Where the service can fetch it: Files API URI, public HTTPS URL, YouTube URL, `gs://` on Vertex. */
  readonly fileUri?: string | undefined;
  readonly displayName?: string | undefined;
}

/** What {@link media} takes, except a web `Blob`, which has to be read first. */
export type MediaSource = Uint8Array | ArrayBuffer | string | URL | GeminiFile;

/** Options of {@link media}. */
export interface MediaOptions {
  /** IANA media type, such as `image/png`. @defaultValue by the first bytes, the blob's type, or the name's extension */
  readonly mimeType?: string | undefined;
  /** Shown to the model in a tool's result; the service takes none beside a question. @defaultValue the name of a web `File` */
  readonly displayName?: string | undefined;
  /** How many tokens an image, a page or a frame becomes; Gemini 3 and newer. @defaultValue that of the request */
  readonly mediaResolution?:
    | "MEDIA_RESOLUTION_LOW"
    | "MEDIA_RESOLUTION_MEDIUM"
    | "MEDIA_RESOLUTION_HIGH"
    | "MEDIA_RESOLUTION_ULTRA_HIGH"
    | undefined;
  /** Which part of a video is looked at, and how closely. */
  readonly videoMetadata?:
    | {
        /** Seconds from the beginning. @defaultValue 0 */
        readonly startOffset?: number | undefined;
        /** Seconds from the beginning. @defaultValue the end of the video */
        readonly endOffset?: number | undefined;
        /** Frames per second, above 0 and up to 24. @defaultValue 1 */
        readonly fps?: number | undefined;
      }
    | undefined;
}

/**
 * Makes a file of any kind something that the model sees: beside the text of a question
 * (`agent.run(["What is this?", media(bytes)])`), or alone, in an array, or anywhere inside a tool's result.
 *
 * @param source - Bytes; base64 (a `data:` URL is taken too); the URL, or the `https:` or `gs:` address as text, of what
 *   the service can reach; a file of the Files API; or a web `Blob` or `File`, which is read first, so that a promise comes.
 * @param options - The media type alone, or options.
 * @throws {TypeError} When there are no bytes, the text is not base64, the media type is none or cannot be seen from the
 *   source, or an option is out of its range.
 */
export function media(
  source: Blob,
  options?: string | MediaOptions,
  more?: Omit<MediaOptions, "mimeType">,
): Promise<Media>;
export function media(
  source: MediaSource,
  options?: string | MediaOptions,
  more?: Omit<MediaOptions, "mimeType">,
): Media;
export function media(
  source: MediaSource | Blob,
  options: string | MediaOptions = {},
  more: Omit<MediaOptions, "mimeType"> = {},
): Media | Promise<Media> {
  const wanted = typeof options === "string" ? { mimeType: options, ...more } : options;
  return source instanceof Blob ? mediaFromBlob(source, wanted) : buildMedia(source, wanted);
}

/** True for what {@link media} made, also after a trip through JSON. */
export function isMedia(value: unknown): value is Media {
  if (typeof value !== "object" || value === null || !("kind" in value) || value.kind !== KIND) return false;
  const { mimeType, data, fileUri } = value as {
    readonly mimeType?: unknown;
    readonly data?: unknown;
    readonly fileUri?: unknown;
  };
  return typeof mimeType === "string" && (typeof data === "string") !== (typeof fileUri === "string");
}

/** Media as a part of a content. Without its display name, which the service takes only inside function responses. */
export function mediaPart({ mimeType, data, fileUri, mediaResolution, videoMetadata }: Media): Part {
  return {
    ...(data === undefined ? { fileData: { mimeType, fileUri: fileUri ?? "" } } : { inlineData: { mimeType, data } }),
    ...(videoMetadata && { videoMetadata }),
    ...(mediaResolution && { mediaResolution }),
  };
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
    throw new TypeError('media(): the media type cannot be seen from this; give it as mimeType, such as "text/plain"');
  if (!/^[\w.+-]+\/[\w.+-]+/.test(mimeType))
    throw new TypeError(`media(): "${mimeType}" is not a media type such as "image/png"`);
  if (found.data === "") throw new TypeError("media(): there are no bytes; is the file empty?");
  const displayName = options.displayName ?? found.displayName;
  const { mediaResolution: level } = options;
  const videoMetadata = options.videoMetadata && buildVideoMetadata(options.videoMetadata);
  return {
    kind: KIND,
    mimeType,
    ...(found.fileUri === undefined ? { data: found.data ?? "" } : { fileUri: found.fileUri }),
    ...(displayName !== undefined && { displayName }),
    ...(level !== undefined && { mediaResolution: { level } }),
    ...(videoMetadata && { videoMetadata }),
  };
}

type Found = { readonly [Field in "mimeType" | "data" | "fileUri" | "displayName"]?: string | undefined };

function findMedia(source: MediaSource): Found {
  if (source instanceof Uint8Array) return { data: toBase64(source), mimeType: detectMimeType(source) };
  if (source instanceof ArrayBuffer) return findMedia(new Uint8Array(source));
  if (source instanceof URL) return source.protocol === "data:" ? findInText(source.href) : findAddress(source.href);
  if (typeof source === "string") return /^(?:https?|gs):\/\//i.test(source) ? findAddress(source) : findInText(source);
  if (typeof source.uri !== "string" || source.uri === "")
    throw new TypeError("media(): give bytes, base64, a URL, a Blob, or a file that was uploaded");
  if (source.state === "FAILED") throw new TypeError(`media(): the service could not process ${source.name}`);
  return { fileUri: source.uri, mimeType: source.mimeType, displayName: source.displayName };
}

/** A page of YouTube stands for its video. */
function findAddress(address: string): Found {
  const { hostname, pathname } = new URL(address);
  const isVideo = /^(?:(?:www\.|m\.)?youtube\.com|youtu\.be)$/.test(hostname);
  return { fileUri: address, mimeType: isVideo ? "video/mp4" : guessMimeType(pathname) };
}

function findInText(text: string): Found {
  const [head = "", mimeType] = /^data:([^,;]*)[^,]*;base64,/.exec(text) ?? [];
  const data = text.slice(head.length);
  // A sample is enough to tell a path or raw bytes from base64, and keeps large files cheap.
  if (!/^[\w+/=\r\n-]*$/.test(data.slice(0, 4_096)))
    throw new TypeError("media(): the text is not base64; pass the bytes as a Uint8Array, or a URL");
  return { data, mimeType: mimeType || detectMimeType(firstBytes(data)) };
}

function firstBytes(base64: string): Uint8Array {
  const sample = base64
    .slice(0, 88)
    .replaceAll(/[\r\n=]/g, "")
    .replaceAll("-", "+")
    .replaceAll("_", "/");
  try {
    return Uint8Array.from(atob(sample.slice(0, sample.length & ~3)), (character) => character.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

function buildVideoMetadata({
  startOffset,
  endOffset,
  fps,
}: NonNullable<MediaOptions["videoMetadata"]>): Media["videoMetadata"] {
  for (const [name, seconds] of Object.entries({ startOffset, endOffset }))
    if (seconds !== undefined && !(Number.isFinite(seconds) && seconds >= 0))
      throw new TypeError(`media(): videoMetadata.${name} is ${seconds}: give seconds from the beginning`);
  if (endOffset !== undefined && endOffset <= (startOffset ?? 0))
    throw new TypeError("media(): videoMetadata.endOffset must be after startOffset");
  if (fps !== undefined && !(fps > 0 && fps <= 24))
    throw new TypeError(`media(): videoMetadata.fps is ${fps}: give frames per second above 0 and up to 24`);
  return {
    ...(startOffset !== undefined && { startOffset: duration(startOffset) }),
    ...(endOffset !== undefined && { endOffset: duration(endOffset) }),
    ...(fps !== undefined && { fps }),
  };
}

/** Seconds as the wire writes them: at most nine decimals, and no exponent. */
function duration(seconds: number): string {
  return `${seconds.toFixed(9).replace(/\.?0+$/, "")}s`;
}

/** Characters per `String.fromCharCode` call: well below every engine's limit of arguments. */
const CHUNK = 0x8000;

/** Standard base64 of bytes, natively where the platform can. */
export function toBase64(bytes: Uint8Array): string {
  // Not in every supported runtime yet, so not in the type library either.
  const native = (bytes as { readonly toBase64?: () => string }).toBase64;
  if (typeof native === "function") return native.call(bytes);
  let binary = "";
  for (let at = 0; at < bytes.length; at += CHUNK) binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(binary);
}
