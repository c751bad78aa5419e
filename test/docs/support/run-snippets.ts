// Runs programs one after the other in one process, as they are named to it, and tells how each one ended.
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";

let failure: unknown;
process.on("unhandledRejection", (error) => (failure = error));
// A program that ends its process by itself has ended.
process.exit = ((code?: number) => {
  if (code !== undefined && code !== 0) failure = new Error(`It ended with exit code ${code}.`);
}) as typeof process.exit;

process.on("message", (file: string) => {
  failure = undefined;
  import(pathToFileURL(file).href)
    .catch((error: unknown) => (failure ??= error))
    .finally(() => process.send?.(failure === undefined ? "" : inspect(failure)));
});
process.on("disconnect", () => process.kill(process.pid));
