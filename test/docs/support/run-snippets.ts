// Runs the given programs one after the other in one process, and reports how each one ended and what it printed.
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";

/** How a program ended. */
export interface SnippetEnd {
  /** The failure; empty for none. */
  readonly problem: string;
  readonly printed: string;
  /** Open resources of the process, such as timers and sockets: a hint in case it doesn't end. */
  readonly open: string;
}

let failure: unknown;
let printed = "";
// Programs only print: none waits for its output or sets an encoding.
process.stdout.write = (chunk: string | Uint8Array) => {
  printed += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
  return true;
};
// A rejection after the end of its program counts as a failure of the next one, or of the process.
process.on("unhandledRejection", (error) => {
  failure = error;
  process.exitCode = 1;
});
// A program may end the process itself.
process.exit = ((code?: number) => {
  if (code !== undefined && code !== 0) failure = new Error(`It ended with exit code ${code}.`);
}) as typeof process.exit;

const end = (): boolean => process.kill(process.pid);
process.on("disconnect", end);
process.on("message", (file: string) => {
  // After the last program, the process ends once nothing is open.
  if (file === "") {
    process.off("disconnect", end);
    process.disconnect();
    return;
  }
  printed = "";
  import(pathToFileURL(file).href)
    .catch((error: unknown) => (failure ??= error))
    .finally(() => {
      // A page can't show a trailing line break.
      if (printed !== "" && !printed.endsWith("\n")) printed += "\n";
      const problem = failure === undefined ? "" : inspect(failure);
      failure = undefined;
      const open = process.getActiveResourcesInfo().toSorted().join(" ");
      process.send?.({ problem, printed, open } satisfies SnippetEnd);
    });
});
