import { isTooDeep } from "../../internal/json.ts";
import type { ModelRequest } from "../../model/model.ts";
import { checkContentsDepth, depthError } from "../../model/request/check-depth.ts";
import type { Content } from "../../wire/types/content.ts";

/**
 * Checks what `prepareTurn` put into a request; what was there before is known to be sendable.
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
    throw depthError(`The ${name} that prepareTurn returned nest`, "they cannot be sent: flatten them");
}

/** Stands for a content that needs no check, so that the others keep their index. */
const NOTHING: Content = { role: "user", parts: [] };
