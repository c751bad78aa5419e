import { ToolRetry } from "@pollux/core";
import picomatch from "picomatch";

/** Whether a path is meant; `path` counts from the root, `inside` from the folder that is looked through. */
export type PathFilter = (path: string, inside: string) => boolean;

/**
 * A filter from a glob such as `src/**\/*.ts`. Without a `/` it is about names: `*.ts` is any TypeScript file.
 *
 * @throws {ToolRetry} For globs that may take forever to match.
 */
export function globFilter(glob: string): PathFilter {
  if (!isTame(glob))
    throw new ToolRetry(`glob: "${glob.slice(0, 80)}" is too complex; use at most three * in one name`);
  // Extended globs may match in exponential time.
  const options = { dot: true, noextglob: true, nonegate: true, basename: !glob.includes("/") };
  const isMatch = picomatch(glob.replace(/^\.?\//, ""), options);
  return (path, inside) => isMatch(path) || isMatch(inside);
}

/** Whether matching a pattern by backtracking ends soon, whatever the name is. */
export function isTame(pattern: string): boolean {
  if (pattern.length > 300 || /\*\*/.test(pattern.replace(/(^|\/)\*\*(?=\/|$)/g, "$1"))) return false;
  const parts = pattern.split("/");
  const crossing = parts.filter((part) => part === "**").length;
  return crossing <= 3 && parts.every((part) => part === "**" || part.split("*").length <= 4);
}
