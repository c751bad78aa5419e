import type { SeenFiles } from "./seen-files.ts";

/** Options of every file tool: one folder, or several, each with a name. */
export interface FileToolOptions {
  /** The folder that the tool can access. Relative paths are resolved against the working directory. */
  readonly root?: string | undefined;
  /**
   * Several folders instead of one: `{ app: "./packages/app", docs: "../docs" }`. Paths then begin with one of the names. A
   * list names each folder after its last path segment.
   */
  readonly roots?: readonly string[] | { readonly [name: string]: string } | undefined;
  /**
   * Whether files with more than one hard link can be read, searched and changed. Such a file may also be outside the
   * folder; set it to `false` if someone else can create links in it. @defaultValue true
   */
  readonly hardLinks?: boolean | undefined;
  /** The files read so far. Tools that share this object know what the others have read; `fileTools` shares one. */
  readonly seen?: SeenFiles | undefined;
}
