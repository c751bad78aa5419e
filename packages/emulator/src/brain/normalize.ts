import { isFields } from "../internal/json.ts";

// Fields with free-form JSON: their keys are data, not field names.
const FREE_FORM = new Set([
  "args",
  "response",
  "properties",
  "parametersJsonSchema",
  "responseJsonSchema",
  "labels",
  "$defs",
]);

/** Converts alternative spellings that the service accepts to one. */
export function normalize(value: unknown, free = false): unknown {
  if (Array.isArray(value)) return value.map((item) => normalize(item, free));
  if (!isFields(value)) return value;
  const entries = Object.entries(value).flatMap(([key, item]): [string, unknown][] => {
    if (free) return [[key, key === "type" && typeof item === "string" ? item.toUpperCase() : normalize(item, true)]];
    const name = key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const isAbsent =
      item === null ||
      (name === "thought" && item === false) ||
      (name === "role" && item === "user") ||
      isEmpty(item, name);
    if (isAbsent) return [];
    const list = name === "parts" && isFields(item) ? [item] : item;
    // Python clients send signatures in the URL-safe alphabet.
    if (name === "thoughtSignature" && typeof item === "string" && !item.includes("[redacted]"))
      return [[name, Buffer.from(item, "base64").toString("base64")]];
    if (typeof list === "string") return [[name, name === "type" || name === "mode" ? list.toUpperCase() : list]];
    return [[name, normalize(list, FREE_FORM.has(name))]];
  });
  return Object.fromEntries(entries);
}

function isEmpty(item: unknown, name: string): boolean {
  // An empty object declares a built-in tool, and empty arguments are arguments.
  return Array.isArray(item) && item.length === 0 && name !== "parts" && name !== "contents";
}
