import type { SeenFiles } from "./seen-files.ts";

/** What every file tool needs to know: one folder, or several under names of their own. */
export interface FileToolOptions {
  /** The folder that the tool may look into. Relative paths count from the working directory. */
  readonly root?: string | undefined;
  /**
   * Several folders instead of one: `{ app: "./packages/app", docs: "../docs" }`. Paths then begin with such a name. A list
   * names each folder by its last part.
   */
  readonly roots?: readonly string[] | { readonly [name: string]: string } | undefined;
  /** What was read before. Tools that share one know of each other's reading; `fileTools` shares one. */
  readonly seen?: SeenFiles | undefined;
}
