import { ConfigurationError } from "../../errors/agent-error.ts";
import { asObject, isTooDeep, MAX_LEVELS } from "../../internal/json.ts";
import { parseEssence } from "../../internal/mime-type.ts";
import { utf8Length } from "../../internal/text.ts";
import { MAX_REQUEST_BYTES } from "../../wire/http/encode-request.ts";
import type { Content, Part } from "../../wire/types/content.ts";
import { findKnownModel, isOlderFamily, type ModelCapabilities, OFFICE_TYPE } from "../../wire/known-models.ts";

/** Marks {@link Media} among other objects. */
export const MEDIA_KIND = "@pollux/media";

/** An image, document, audio, video or other file in an input or a tool's result. JSON-safe; made by `media()`. */
export interface Media extends Pick<Part, "mediaResolution" | "videoMetadata"> {
  readonly kind: typeof MEDIA_KIND;
  readonly mimeType: string;
  /** Base64; absent when `fileUri` is set. */
  readonly data?: string | undefined;
  /** Where the service fetches it: Files API URI, public HTTPS URL, YouTube URL, `gs://` on Vertex. */
  readonly fileUri?: string | undefined;
  readonly displayName?: string | undefined;
}

/** True for {@link Media}, also after a round trip through JSON. */
export function isMedia(value: unknown): value is Media {
  const { kind, mimeType, data, fileUri } = asObject(value);
  const hasOne = (typeof data === "string") !== (typeof fileUri === "string");
  return kind === MEDIA_KIND && typeof mimeType === "string" && hasOne;
}

/** Media as a part of a content, without the display name, which the service only accepts in function responses. */
export function mediaPart({ mimeType, data, fileUri, mediaResolution, videoMetadata }: Media): Part {
  return {
    ...(data === undefined ? { fileData: { mimeType, fileUri: fileUri ?? "" } } : { inlineData: { mimeType, data } }),
    ...(videoMetadata && { videoMetadata }),
    ...(mediaResolution && { mediaResolution }),
  };
}

/** The model that receives the media. */
export interface MediaModel {
  readonly id: string;
  readonly capabilities: Pick<ModelCapabilities, "family" | "officeInput">;
}

/** Per request. Pages of documents count as images, but only the service can count those. */
const MOST = { image: 3_600, video: 10 };
const MAX_PDF_BYTES = 50 * 1024 * 1024;

/** Media types that most models don't read, and what to do instead. */
const UNREAD: readonly (readonly [type: RegExp, instead: string])[] = [
  [/^application\/(?:octet-stream|x-binary)$/, "use the media type of the content"],
  [/^application\/(?:zip|gzip|x-tar|x-gzip|x-zip-compressed|x-7z-compressed|vnd\.rar)$/, "send the files inside"],
  [
    /^application\/(?:msword|vnd\.ms-|vnd\.openxmlformats-officedocument|vnd\.oasis\.opendocument)/,
    "convert it to PDF or text, or use gemini-4-hydrogen, which reads Office files",
  ],
  [/^image\/svg\+xml$/, "convert it to PNG, or send its source as text"],
  [/^image\/(?:tiff|bmp|x-icon|vnd\.microsoft\.icon)$/, "convert it to PNG or JPEG"],
];

/**
 * Rejects media that the service would reject, before anything is sent.
 * @throws {ConfigurationError} Naming the media and the fix.
 * @see https://ai.google.dev/gemini-api/docs/file-input-methods
 */
export function checkMediaParts(contents: readonly Content[], model: MediaModel): void {
  // The caller cannot change media that a model generated.
  const given = contents.flatMap(({ role, parts }) => (role === "user" ? parts : []));
  const counts = { image: 0, video: 0 };
  for (const part of given) {
    const mimeType = part.inlineData?.mimeType ?? part.fileData?.mimeType;
    for (const problem of findPartProblems(part, mimeType, model)) throw new ConfigurationError(problem);
    if (mimeType?.startsWith("image/")) counts.image++;
    if (mimeType?.startsWith("video/")) counts.video++;
  }
  for (const kind of ["image", "video"] as const)
    if (counts[kind] > MOST[kind])
      throw new ConfigurationError(
        `The input contains ${counts[kind]} ${kind}s; a request accepts at most ${MOST[kind]}: split them across several runs.`,
      );
}

function* findPartProblems(
  { inlineData, fileData, mediaResolution }: Part,
  mimeType: string | undefined,
  { id, capabilities: { family, officeInput } }: MediaModel,
): Generator<string, void, void> {
  if (inlineData?.data === "")
    yield `The input contains ${mimeType} without bytes (inlineData.data is empty): is the file empty?`;
  if (fileData?.fileUri === "") yield "The input contains fileData with an empty fileUri.";
  if (mediaResolution !== undefined && isOlderFamily(family))
    yield `mediaResolution of a part: ${id} accepts it only for the whole request; set it on the agent, or use Gemini 3 or newer.`;
  if (mimeType === undefined) return;
  const type = parseEssence(mimeType);
  if (type === "application/pdf" && inlineData !== undefined && countBytes(inlineData.data) > MAX_PDF_BYTES)
    yield `The input contains a PDF of ${countBytes(inlineData.data)} bytes; the limit is ${MAX_PDF_BYTES} (50 MiB): split it.`;
  if (findKnownModel(id) === undefined || (officeInput && OFFICE_TYPE.test(type))) return;
  const unread = UNREAD.find(([kind]) => kind.test(type));
  if (unread !== undefined) yield `The input contains ${type}, which ${id} does not read: ${unread[1]}.`;
  const isTranscriber = id.includes("transcribe");
  if (family !== "speech" || (isTranscriber && type.startsWith("audio/"))) return;
  yield `The input contains ${type}, but ${id} ${isTranscriber ? "reads only audio: pass audio" : "reads only text: remove it"}.`;
}

function countBytes(base64: string): number {
  return Math.floor((base64.length * 3) / 4);
}

interface RequestLimit {
  readonly maxRequestBytes?: number | undefined;
}

/** Bytes that the text and inline media of a conversation may take: the rest is for instructions, tools and results as JSON. */
export function maxContentsBytes({ maxRequestBytes = MAX_REQUEST_BYTES }: RequestLimit): number {
  return Math.floor(0.75 * maxRequestBytes);
}

/** Bytes of media that one result may add: at most half a request, and no more than the room that the contents so far leave. */
export function maxMediaBytes(model: RequestLimit, sentBytes: number): number {
  const { maxRequestBytes = MAX_REQUEST_BYTES } = model;
  return Math.min(0.5 * Math.min(maxRequestBytes, MAX_REQUEST_BYTES), maxContentsBytes(model) - sentBytes);
}

/** Bytes of the text and inline media of some contents. */
export function contentsBytes(contents: readonly Content[]): number {
  return contents.reduce((bytes, { parts }) => bytes + partsBytes(parts), 0);
}

/** An upper bound of {@link contentsBytes} that reads no characters: a UTF-16 unit takes three bytes at most. */
export function mostContentsBytes(contents: readonly Content[]): number {
  return contents.reduce((bytes, { parts }) => bytes + partsBytes(parts, (text) => text.length * 3), 0);
}

/** Bytes of the text and inline media of some parts, those inside function responses included. */
export function partsBytes(parts: readonly Part[], lengthOfText: typeof utf8Length = utf8Length): number {
  let bytes = 0;
  for (const { text, inlineData, functionResponse } of parts) {
    if (typeof text === "string") bytes += lengthOfText(text);
    bytes += lengthOf(inlineData?.data);
    for (const part of functionResponse?.parts ?? []) bytes += lengthOf(part.inlineData?.data);
  }
  return bytes;
}

/** Imported histories may contain anything. */
function lengthOf(data: unknown): number {
  return typeof data === "string" ? data.length : 0;
}

/** Checks contents from outside before anything walks through them. @throws {ConfigurationError} For one that nests too deep. */
export function checkContentsDepth(contents: readonly Content[]): void {
  const at = contents.findIndex((content) => isTooDeep(content));
  if (at !== -1) throw depthError(`contents[${at}] nests`, "it cannot be sent: flatten it, or send it as text");
}

/** @param what - With its verb. */
export function depthError(what: string, so: string): ConfigurationError {
  return new ConfigurationError(`${what} more than ${MAX_LEVELS} levels of lists and objects, so ${so}.`);
}
