/** What every file tool needs to know. */
export interface FileToolOptions {
  /** The folder that the tool may look into. Relative paths count from the working directory. */
  readonly root: string;
}
