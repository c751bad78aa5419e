import { sanitizeToolNames } from "@pollux/core";

/**
 * The model's names for a server's tools: the prefix and `_` in front, whatever is no letter, digit or `_` replaced by
 * `_`. Where that would make two names one, or is still not legal, a hash of the whole name stands at the end.
 *
 * @returns Server's name → model's name, which is unique.
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
