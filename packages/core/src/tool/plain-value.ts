/** A value of JSON one level deep: what is inside arrays and objects is not looked at. */
export type PlainValue = string | number | boolean | null | undefined | object;

/** Turns the objects of the platform into JSON's own kinds, one level deep. Never throws. */
export function asPlain(value: unknown): PlainValue {
  switch (typeof value) {
    case "bigint":
      return value.toString();
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "function":
    case "symbol":
    case "undefined":
      return undefined;
    case "object":
      return value === null ? null : plainObject(value);
    default:
      return value as string | boolean;
  }
}

function plainObject(value: object): PlainValue {
  try {
    const prototype: unknown = Object.getPrototypeOf(value);
    // What nearly everything is.
    if ((prototype === Object.prototype || prototype === Array.prototype) && !("toJSON" in value)) return value;
    const binary = bytesOf(value);
    if (binary !== undefined) return binary;
    if (Array.isArray(value)) return value;
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
    if (value instanceof Map) return plainMap(value);
    if (value instanceof Set) return [...value];
    if (value instanceof RegExp || value instanceof URLSearchParams) return String(value);
    if ("toJSON" in value && typeof value.toJSON === "function") {
      const json: unknown = (value.toJSON as (key: string) => unknown)("");
      // As JSON.stringify does, asked once: what it gives is not asked again.
      return typeof json === "object" && json !== null ? withoutToJson(json) : asPlain(json);
    }
    // Boxed primitives.
    const bare: unknown = /^\[object (?:Number|String|Boolean|BigInt)\]$/.test(Object.prototype.toString.call(value))
      ? value.valueOf()
      : value;
    if (typeof bare !== "object") return asPlain(bare);
    if (value instanceof Error) return { name: value.name, message: value.message };
    return value;
  } catch (error) {
    return `[unreadable: ${(error instanceof Error ? error.message : typeof error).slice(0, 200)}]`;
  }
}

function bytesOf(value: object): PlainValue {
  if (
    value instanceof Uint8Array ||
    value instanceof Uint8ClampedArray ||
    value instanceof DataView ||
    value instanceof ArrayBuffer
  )
    return `[${value.byteLength} bytes]`;
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number | bigint>);
  if (value instanceof Blob) return `[${value.size} bytes${value.type === "" ? "" : ` of ${value.type}`}]`;
  return undefined;
}

function plainMap(map: ReadonlyMap<unknown, unknown>): object {
  const entries = [...map];
  const named = entries.every((entry): entry is [string, unknown] => typeof entry[0] === "string");
  return named ? Object.fromEntries(entries) : entries;
}

function withoutToJson(json: object): object {
  return "toJSON" in json && !Array.isArray(json)
    ? Object.fromEntries(Object.entries(json).filter(([key]) => key !== "toJSON"))
    : json;
}
