/** A JSON object with unknown members. */
export type JsonObject = { readonly [key: string]: unknown };

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The member if it is an object, otherwise an empty one. */
export function objectAt(value: JsonObject, key: string): JsonObject {
  const member = Object.hasOwn(value, key) ? value[key] : undefined;
  return isObject(member) ? member : {};
}

/** The member if it is a list, otherwise an empty one. */
export function listAt(value: JsonObject, key: string): readonly unknown[] {
  const member = Object.hasOwn(value, key) ? value[key] : undefined;
  return Array.isArray(member) ? member : [];
}

/** The member if it is a nonempty string. */
export function textAt(value: JsonObject, key: string): string | undefined {
  const member = Object.hasOwn(value, key) ? value[key] : undefined;
  return typeof member === "string" && member.trim() !== "" ? member.trim() : undefined;
}

/** The text on one line, with `…` where it is truncated. */
export function shortened(text: string, most: number): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length <= most ? line : `${line.slice(0, most - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** Whether a JSON value has more levels of lists and objects. Needs no stack for any depth; the value may contain itself. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  let level: unknown[] = [value];
  for (let depth = 0; depth <= levels; depth++) {
    const seen = new Set<unknown>();
    for (const one of level) {
      if (typeof one !== "object" || one === null) continue;
      for (const member of Object.values(one)) if (typeof member === "object" && member !== null) seen.add(member);
    }
    level = [...seen];
    if (level.length === 0) return false;
  }
  return true;
}
