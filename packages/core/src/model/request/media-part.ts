import type { Part } from "../../wire/types/content.ts";

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
  if (typeof value !== "object" || value === null || !("kind" in value) || value.kind !== MEDIA_KIND) return false;
  const { mimeType, data, fileUri } = value as {
    readonly mimeType?: unknown;
    readonly data?: unknown;
    readonly fileUri?: unknown;
  };
  return typeof mimeType === "string" && (typeof data === "string") !== (typeof fileUri === "string");
}

/** Media as a part of a content, without the display name, which the service only accepts in function responses. */
export function mediaPart({ mimeType, data, fileUri, mediaResolution, videoMetadata }: Media): Part {
  return {
    ...(data === undefined ? { fileData: { mimeType, fileUri: fileUri ?? "" } } : { inlineData: { mimeType, data } }),
    ...(videoMetadata && { videoMetadata }),
    ...(mediaResolution && { mediaResolution }),
  };
}
