import { compileWildcards } from "./wildcards.ts";
import type { Work } from "./work.ts";

/** Whether a path matches; `path` is relative to the root, `inside` to the folder being searched. */
export type PathFilter = (path: string, inside: string) => boolean;

/** A filter from a glob such as `src/**\/*.{js,ts}`. A glob without `/` matches names: `*.ts` is any TypeScript file. */
export function globFilter(glob: string, work: Work): PathFilter {
  const { matches } = compileWildcards(glob.replace(/^\.?\//, ""), { braces: true });
  if (!glob.includes("/")) return (path) => matches(path.slice(path.lastIndexOf("/") + 1), work);
  return (path, inside) => matches(path, work) || (inside !== path && matches(inside, work));
}
