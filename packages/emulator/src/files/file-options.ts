/** An uploaded file, as its owner sees it. */
export interface UploadedFile {
  /** Such as `files/abc`. */
  readonly name: string;
  /** The URI used in `fileData.fileUri`. */
  readonly uri: string;
  readonly displayName?: string | undefined;
  readonly mimeType: string;
  readonly sizeBytes: number;
}

/** Options of the Files API. */
export interface FileOptions {
  /** How many times a file is reported as `PROCESSING` before it is `ACTIVE`. Default: 1 for video, 0 for everything else. */
  readonly processingPolls?: number | undefined;
  /** Minimum time a file is `PROCESSING`, in milliseconds of the emulator's clock. Default: 0. */
  readonly processingMs?: number | undefined;
  /** Which files end as `FAILED` instead of `ACTIVE`. Default: none. */
  readonly fails?: ((file: UploadedFile) => boolean) | undefined;
  /** Every upload chunk except the last must be a multiple of this many bytes. Default: 262,144, as for the service. */
  readonly chunkBytes?: number | undefined;
  /** Largest file, in bytes. Default: 2,147,483,648 (2 GB), as for the service. */
  readonly maxBytes?: number | undefined;
}
