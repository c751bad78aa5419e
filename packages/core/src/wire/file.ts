/**
 * A file that was uploaded to the Files API. Unknown fields are kept.
 *
 * @see https://ai.google.dev/api/files#File
 */
export interface GeminiFile {
  /** Such as `files/abc123`. */
  readonly name: string;
  /** What a part refers to as `fileUri`. */
  readonly uri: string;
  readonly displayName?: string | undefined;
  readonly mimeType?: string | undefined;
  /** Decimal digits. */
  readonly sizeBytes?: string | undefined;
  /** `PROCESSING` until it can be used, then `ACTIVE`; `FAILED` when it never can; or a newer word. */
  readonly state?: "PROCESSING" | "ACTIVE" | "FAILED" | (string & {}) | undefined;
  /** Why it failed. */
  readonly error?: { readonly code?: number | undefined; readonly message?: string | undefined } | undefined;
  /** RFC 3339. */
  readonly createTime?: string | undefined;
  /** RFC 3339. */
  readonly updateTime?: string | undefined;
  /** When the service deletes it, 48 hours after it was made; RFC 3339. */
  readonly expirationTime?: string | undefined;
  /** Base64. */
  readonly sha256Hash?: string | undefined;
  readonly source?: "UPLOADED" | "GENERATED" | (string & {}) | undefined;
  readonly videoMetadata?: { readonly videoDuration?: string | undefined } | undefined;
}

/** One page of the list of files. */
export interface ListFilesResponse {
  readonly files?: readonly GeminiFile[] | undefined;
  /** Pass it on to get the next page; absent on the last one. */
  readonly nextPageToken?: string | undefined;
}
