/** Bounds of {@link writeFile} and {@link editFile}. */
export interface WriteOptions<Input> {
  /** Whether a person must approve first: always, or depending on the call's input. @defaultValue false */
  readonly needsApproval?: boolean | ((input: Input) => boolean | Promise<boolean>) | undefined;
  /** Larger files are neither written nor changed, in bytes. @defaultValue 4_000_000 */
  readonly maxFileBytes?: number | undefined;
}

/** Progress reported by `write_file` and `edit_file` once the file has changed. */
export interface FileChange {
  readonly type: "file-change";
  readonly path: string;
  /** Unified, up to 60,000 characters. */
  readonly diff: string;
}

/** Largest file that is written or changed by default, in bytes. */
export const MAX_FILE_BYTES = 4_000_000;

/** Most characters of the diff that the model reads. */
export const SHORT_DIFF = 2_000;
