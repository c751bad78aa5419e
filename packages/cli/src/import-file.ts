import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { errorMessage, UsageError } from "./command.ts";

/** Whether this Node runs TypeScript: 22.18 and later do. */
export const LOADS_TYPESCRIPT: boolean = Boolean(Reflect.get(process.features, "typescript"));

/**
 * What a user's file exports.
 *
 * @param query - Query of its URL: a new one loads the file again. @defaultValue none
 * @throws {UsageError} When it can't be loaded, with the reason.
 */
export async function importFile(file: string, query: string = ""): Promise<Readonly<Record<string, unknown>>> {
  try {
    // Its exports are unknown until it is loaded.
    return (await import(pathToFileURL(resolve(file)).href + query)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    const advice = !LOADS_TYPESCRIPT && file.endsWith("ts") ? " (TypeScript files need Node 22.18 or later)" : "";
    throw new UsageError(`Cannot load ${file}: ${errorMessage(error)}${advice}`, { cause: error });
  }
}
