import { ConfigurationError } from "../../errors/agent-error.ts";
import { isTooDeep, MAX_LEVELS } from "../../internal/json.ts";
import type { Content } from "../../wire/types/content.ts";

/**
 * Checks contents from outside before anything walks through them.
 *
 * @throws {ConfigurationError} For a content that nests too deep to be serialized; names its place.
 */
export function checkContentsDepth(contents: readonly Content[]): void {
  const at = contents.findIndex((content) => isTooDeep(content));
  if (at !== -1) throw depthError(`contents[${at}] nests`, "it cannot be sent: flatten it, or send it as text");
}

/** @param what - With its verb. */
export function depthError(what: string, so: string): ConfigurationError {
  return new ConfigurationError(`${what} more than ${MAX_LEVELS} levels of lists and objects, so ${so}.`);
}
