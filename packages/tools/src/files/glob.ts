import { ToolRetry } from "@pollux/core";
import picomatch from "picomatch";

/** Whether a path matches; `path` is relative to the root, `inside` to the folder being searched. */
export type PathFilter = (path: string, inside: string) => boolean;

/**
 * A filter from a glob such as `src/**\/*.ts`. A glob without `/` matches names: `*.ts` is any TypeScript file.
 *
 * @throws {ToolRetry} For globs that could match forever.
 */
export function globFilter(glob: string): PathFilter {
  if (!isTame(glob))
    throw new ToolRetry(`glob: "${glob.slice(0, 80)}" is too complex; use at most three * in one name`);
  // Extended globs can take exponential time to match.
  const options = { dot: true, noextglob: true, nonegate: true, basename: !glob.includes("/") };
  const isMatch = picomatch(glob.replace(/^\.?\//, ""), options);
  return (path, inside) => isMatch(path) || isMatch(inside);
}

/** Whether backtracking on a pattern ends soon for every name. */
export function isTame(pattern: string): boolean {
  if (pattern.length > 300 || /\*\*/.test(pattern.replace(/(^|\/)\*\*(?=\/|$)/g, "$1"))) return false;
  const parts = pattern.split("/");
  const crossing = parts.filter((part) => part === "**").length;
  return crossing <= 3 && parts.every((part) => part === "**" || part.split("*").length <= 4);
}
