import { sanitizeToolNames } from "@pollux/core/tool";

/**
 * The model's names for a server's tools: prepends the prefix and `_`, and replaces any character other than a letter, digit
 * or `_` with `_`. If two names would then be the same, or a name is still invalid, a hash of the full name is appended.
 *
 * @returns A map from the server's name to the model's name, which is unique.
 */
export function toolNames(names: readonly string[], prefix: string | undefined): ReadonlyMap<string, string> {
  const wanted = new Map(names.map((name) => [name, prefix === undefined ? name : `${prefix}_${name}`]));
  const uses = new Map<string, number>();
  for (const name of wanted.values()) uses.set(plain(name), (uses.get(plain(name)) ?? 0) + 1);
  const { sanitized } = sanitizeToolNames(
    [...wanted.values()].map((name) => (uses.get(plain(name)) === 1 ? plain(name) : name)),
  );
  return new Map(
    [...wanted].map(([name, full]) => [name, sanitized.get(full) ?? sanitized.get(plain(full)) ?? plain(full)]),
  );
}

function plain(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]/g, "_");
}
