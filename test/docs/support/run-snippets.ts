// Runs programs one after the other in one process, as they are named to it, and tells how each one ended and what it printed.
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";

/** How a program ended. */
export interface SnippetEnd {
  /** What went wrong; empty if nothing did. */
  readonly problem: string;
  readonly printed: string;
}

let failure: unknown;
let printed = "";
// Programs only print: none waits for its output, or names its encoding.
process.stdout.write = (chunk: string | Uint8Array) => {
  printed += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
  return true;
};
process.on("unhandledRejection", (error) => (failure = error));
// A program that ends its process by itself has ended.
process.exit = ((code?: number) => {
  if (code !== undefined && code !== 0) failure = new Error(`It ended with exit code ${code}.`);
}) as typeof process.exit;

process.on("message", (file: string) => {
  failure = undefined;
  printed = "";
  import(pathToFileURL(file).href)
    .catch((error: unknown) => (failure ??= error))
    .finally(() => {
      // A page can't show whether the last line ended.
      if (printed !== "" && !printed.endsWith("\n")) printed += "\n";
      const end: SnippetEnd = { problem: failure === undefined ? "" : inspect(failure), printed };
      process.send?.(end);
    });
});
process.on("disconnect", () => process.kill(process.pid));
