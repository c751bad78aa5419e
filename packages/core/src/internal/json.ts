/** Anything that `JSON.parse(JSON.stringify(value))` leaves unchanged. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** True for a JSON object (not null, not an array). */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Anything but a JSON object counts as an empty one. */
export function asObject(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}

/** Anything but a list counts as an empty one. */
export function asList<T>(value: readonly T[] | undefined): readonly T[];
export function asList(value: unknown): readonly unknown[];
export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** An object without its members that are undefined, or named `__proto__`. */
export function present<Fields extends object>(fields: Fields): Fields {
  // Not by deleting: in V8, an object that loses a member becomes a hash table, 450 bytes larger and slower to read.
  const set: Partial<Fields> = {};
  for (const name in fields) if (fields[name] !== undefined && name !== "__proto__") set[name] = fields[name];
  return set as Fields;
}

/** The same, or `undefined` if no member is left. */
export function unlessEmpty<Fields extends object>(fields: Fields): Fields | undefined {
  for (const name in fields) if (fields[name] !== undefined) return present(fields);
  return undefined;
}

const TYPES = ["", "string", "number", "integer", "boolean", "array", "object", "null"];

/** A schema's type in JSON Schema's words: OpenAPI has capitals, and protobuf also numbers (`6` for `OBJECT`). */
export function schemaType(type: unknown): unknown {
  if (typeof type === "number") return TYPES[type] ?? type;
  return typeof type === "string" ? type.toLowerCase() : type;
}

/** Resolves a local reference (`#`, `#/$defs/Place`) in `root`; `undefined` if it points to nothing. */
export function followPointer(reference: string, root: unknown): unknown {
  if (reference === "#" || reference === "#/") return root;
  if (!reference.startsWith("#/")) return undefined;
  let target = root;
  for (const name of reference.slice(2).split("/").map(unescapePointer)) {
    if (typeof target !== "object" || target === null || !Object.hasOwn(target, name)) return undefined;
    // An own property, as checked above.
    target = (target as Readonly<Record<string, unknown>>)[name];
  }
  return target;
}

function unescapePointer(key: string): string {
  const pointer = key.replaceAll("~1", "/").replaceAll("~0", "~");
  return tryOr(() => decodeURIComponent(pointer), pointer);
}

/** A deep copy of JSON; anything else in it is not copied. For the small objects of calls much faster than `structuredClone`. */
export function copyJson<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  // A copy has the type of its original.
  if (Array.isArray(value)) return value.map((item: unknown) => copyJson(item)) as T;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) setMember(copy, key, copyJson<unknown>(member));
  return copy as T;
}

/** Most levels that an external value may nest: far fewer than the stack allows recursive code such as `JSON.stringify`. */
export const MAX_LEVELS: number = 500;

/** True when a value nests more levels of lists and objects than this. Stops there, so a value that contains itself is too deep. */
export function isTooDeep(value: unknown, levels: number = MAX_LEVELS): boolean {
  if (typeof value !== "object" || value === null) return false;
  const open: object[] = [value];
  const depths: number[] = [1];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    const depth = depths.pop() ?? 1;
    if (depth > levels) return true;
    if (Array.isArray(one)) {
      // Not by its keys: creating these strings takes ten times as long as all the rest.
      for (const item of one as readonly unknown[])
        if (typeof item === "object" && item !== null) {
          open.push(item);
          depths.push(depth + 1);
        }
      continue;
    }
    const members = one as Readonly<Record<string, unknown>>;
    for (const key in members) {
      const member = members[key];
      if (typeof member === "object" && member !== null) {
        open.push(member);
        depths.push(depth + 1);
      }
    }
  }
  return false;
}

/** Where two JSON values first differ, such as `added[2].parts[0].text`; `undefined` when they are equal, whatever the order of keys. */
export function firstDifference(a: unknown, b: unknown): string | undefined {
  const steps = stepsToDifference(a, b);
  if (steps === undefined) return undefined;
  return steps.length === 0 ? "the root" : steps.join("").replace(/^\./, "");
}

/** True when two JSON values are equal. Members that are `undefined` count as absent, and the order of keys does not matter. */
export function sameJson(a: unknown, b: unknown): boolean {
  return stepsToDifference(a, b) === undefined;
}

/** The path is built on the way back, so that comparing equal values builds none. */
function stepsToDifference(a: unknown, b: unknown): readonly string[] | undefined {
  if (Object.is(a, b)) return undefined;
  if (Array.isArray(a) && Array.isArray(b)) {
    for (let i = 0; i < Math.max(a.length, b.length); i++) {
      const found = stepsToDifference(a[i], b[i]);
      if (found !== undefined) return [`[${i}]`, ...found];
    }
    return undefined;
  }
  if (!isObject(a) || !isObject(b)) return [];
  for (const key of Object.keys(a)) {
    const found = stepsToDifference(a[key], b[key]);
    if (found !== undefined) return [`.${key}`, ...found];
  }
  const added = Object.keys(b).find((key) => !(key in a) && b[key] !== undefined);
  return added === undefined ? undefined : [`.${added}`];
}

/** A hash of the value's JSON: 64 bits, in hex. Not cryptographic. */
export function fingerprint(value: unknown): string {
  let low = 0x811c9dc5;
  let high = 0x9e3779b9;
  for (const character of JSON.stringify(value) ?? "") {
    const code = character.codePointAt(0) ?? 0;
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x85ebca6b);
    high ^= high >>> 13;
  }
  return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}

/** Sets a member of an object or a list. Assigning `__proto__` would change the prototype instead. */
export function setMember(target: object, key: string | number, value: unknown): void {
  // An object or a list has members by name.
  if (key !== "__proto__") (target as Record<string | number, unknown>)[key] = value;
  else Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

/** The result of `get`, or `otherwise` if it throws: reading a value of other people's code may throw. */
export function tryOr<T>(get: () => T, otherwise: T): T {
  try {
    return get();
  } catch {
    return otherwise;
  }
}
