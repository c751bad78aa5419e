import type { Blob } from "../wire/content.ts";

/** An image the model made. Its JSON holds the media type and the base64, not the bytes. */
export class OutputImage {
  /** Such as `image/png`. */
  readonly mimeType: string;
  /** Base64, as it came. */
  readonly data: string;

  constructor({ mimeType, data }: Pick<Blob, "mimeType" | "data">) {
    this.mimeType = mimeType;
    this.data = data;
  }

  /** The image's bytes, decoded anew each time. */
  get bytes(): Uint8Array<ArrayBuffer> {
    const binary = atob(this.data.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  }
}
