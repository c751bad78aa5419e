/** What a caller knows of a file that was uploaded. */
export interface UploadedFile {
  /** As in `files/abc`. */
  readonly name: string;
  /** The address that `fileData.fileUri` names it by. */
  readonly uri: string;
  readonly displayName?: string | undefined;
  readonly mimeType: string;
  readonly sizeBytes: number;
}

/** How the Files API behaves. */
export interface FileOptions {
  /** How many times a file is read as `PROCESSING` before it is `ACTIVE`. Default: 1 for video, 0 for everything else. */
  readonly processingPolls?: number | undefined;
  /** Milliseconds a file is `PROCESSING` at least, by the emulator's clock. Default: 0. */
  readonly processingMs?: number | undefined;
  /** Which files end as `FAILED` instead of `ACTIVE`. Default: none. */
  readonly fails?: ((file: UploadedFile) => boolean) | undefined;
  /** Bytes that the chunks of an upload, the last one apart, are a multiple of. Default: 262,144, the service's. */
  readonly chunkBytes?: number | undefined;
  /** Bytes of the largest file. Default: 2,147,483,648 (2 GB), the service's. */
  readonly maxBytes?: number | undefined;
}
