import { isObject } from "./json.ts";

interface Limits {
  readonly items: number;
  readonly characters: number;
  readonly depth: number;
}

/** From omitting almost nothing to keeping almost nothing. */
const STEPS: readonly Limits[] = [
  { items: 200, characters: 4_000, depth: 12 },
  { items: 100, characters: 1_000, depth: 8 },
  { items: 50, characters: 500, depth: 6 },
  { items: 30, characters: 300, depth: 5 },
  { items: 15, characters: 200, depth: 4 },
  { items: 8, characters: 120, depth: 3 },
  { items: 4, characters: 80, depth: 3 },
  { items: 2, characters: 40, depth: 2 },
];

/**
 * The value, or as much of it as fits: lists are shortened, long strings are truncated, deep members are dropped, each with a note.
 *
 * @param maxBytes - Most bytes of its JSON in UTF-8.
 * @returns `isCut` says whether anything is missing. If not even the minimum fits, the value is a note.
 */
export function boundedJson(value: unknown, maxBytes: number): { readonly value: unknown; readonly isCut: boolean } {
  if (bytesOf(value) <= maxBytes) return { value, isCut: false };
  for (const limits of STEPS) {
    const smaller = shrunk(value, limits, 0);
    if (bytesOf(smaller) <= maxBytes) return { value: smaller, isCut: true };
  }
  return { value: "[too large to show: request less]", isCut: true };
}

function shrunk(value: unknown, limits: Limits, depth: number): unknown {
  if (typeof value === "string") {
    if (value.length <= limits.characters) return value;
    const kept = value.slice(0, limits.characters).replace(/[\ud800-\udbff]$/, "");
    return `${kept}… [${value.length - kept.length} more characters]`;
  }
  if (Array.isArray(value)) {
    if (depth >= limits.depth && value.length > 0) return `[a list of ${value.length}]`;
    const items = value.slice(0, limits.items).map((item: unknown) => shrunk(item, limits, depth + 1));
    return value.length > limits.items ? [...items, `[${value.length - limits.items} more]`] : items;
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value);
  if (depth >= limits.depth && entries.length > 0) return `[an object of ${entries.length}]`;
  const most = Math.max(20, limits.items);
  const kept = entries.slice(0, most).map(([key, item]) => [key, shrunk(item, limits, depth + 1)] as const);
  return Object.fromEntries(entries.length > most ? [...kept, ["…", `${entries.length - most} more`]] : kept);
}

/** Size of the value's JSON in bytes. */
export function bytesOf(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value) ?? "").length;
}
