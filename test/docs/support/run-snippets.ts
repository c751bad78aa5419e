// Runs programs one after the other in one process, as they are named to it, and tells how each one ended and what it printed.
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";

/** How a program ended. */
export interface SnippetEnd {
  /** What went wrong; empty if nothing did. */
  readonly problem: string;
  readonly printed: string;
  /** What is open in the process by now, such as timers and sockets; says where to look if it then doesn't end. */
  readonly open: string;
}

let failure: unknown;
let printed = "";
// Programs only print: none waits for its output, or names its encoding.
process.stdout.write = (chunk: string | Uint8Array) => {
  printed += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
  return true;
};
// Also one that comes when its program has ended: the next one is then said to have failed, or the process.
process.on("unhandledRejection", (error) => {
  failure = error;
  process.exitCode = 1;
});
// A program that ends its process by itself has ended.
process.exit = ((code?: number) => {
  if (code !== undefined && code !== 0) failure = new Error(`It ended with exit code ${code}.`);
}) as typeof process.exit;

const end = (): boolean => process.kill(process.pid);
process.on("disconnect", end);
process.on("message", (file: string) => {
  // There are no more: it ends as any program does, once nothing is open.
  if (file === "") {
    process.off("disconnect", end);
    process.disconnect();
    return;
  }
  printed = "";
  import(pathToFileURL(file).href)
    .catch((error: unknown) => (failure ??= error))
    .finally(() => {
      // A page can't show whether the last line ended.
      if (printed !== "" && !printed.endsWith("\n")) printed += "\n";
      const problem = failure === undefined ? "" : inspect(failure);
      failure = undefined;
      const open = process.getActiveResourcesInfo().toSorted().join(" ");
      process.send?.({ problem, printed, open } satisfies SnippetEnd);
    });
});
