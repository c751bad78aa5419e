import { ConfigurationError } from "../../errors/agent-error.ts";
import { isTooDeep, MAX_LEVELS } from "../../internal/json.ts";
import type { Content } from "../../wire/types/content.ts";
import type { ModelRequest } from "../model.ts";

/**
 * Checks contents from outside before anything walks through them.
 *
 * @throws {ConfigurationError} For a content that nests too deep to be serialized; names its place.
 */
export function checkContentsDepth(contents: readonly Content[]): void {
  const at = contents.findIndex((content) => isTooDeep(content));
  if (at !== -1) throw depthError(`contents[${at}] nests`, "it cannot be sent: flatten it, or send it as text");
}

/**
 * Checks what a hook put into a request; what was there before is known to be sendable.
 *
 * @throws {ConfigurationError} Naming the member.
 */
export function checkChangedRequest(before: ModelRequest, after: ModelRequest): void {
  if (after === before) return;
  const known = new Set<unknown>(before.contents);
  checkContentsDepth(after.contents.map((content) => (known.has(content) ? NOTHING : content)));
  const { contents: _before, ...given } = before;
  const { contents: _after, ...changed } = after;
  const names = Object.keys(changed) as (keyof typeof changed)[];
  const name = names.find((one) => changed[one] !== given[one] && isTooDeep(changed[one]));
  if (name !== undefined)
    throw depthError(
      `The ${name} of the request that beforeRequest returned nest`,
      "they cannot be sent: flatten them",
    );
}

/** Stands for a content that needs no check, so that the others keep their index. */
const NOTHING: Content = { role: "user", parts: [] };

/** @param what - With its verb. */
export function depthError(what: string, so: string): ConfigurationError {
  return new ConfigurationError(`${what} more than ${MAX_LEVELS} levels of lists and objects, so ${so}.`);
}
