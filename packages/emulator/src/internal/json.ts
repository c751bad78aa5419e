/** A parsed JSON object. */
export type Fields = { readonly [key: string]: unknown };

/** True for a JSON object, false for lists and null. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether lists and objects are nested in more than `levels`. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((child) => isDeeperThan(child, levels - 1));
}

/** Parses JSON; undefined for anything else, and for JSON nested in more than 1,000 levels. */
export function tryJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isDeeperThan(value, 1_000) ? undefined : value;
  } catch {
    return undefined;
  }
}

/** JSON with sorted keys: equal values give equal text, regardless of the order of keys. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(",")}]`;
  if (!isFields(value)) return JSON.stringify(value) ?? "null";
  const entries = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`);
  return `{${entries.join(",")}}`;
}

/** JSON indented by two spaces with a final newline, and `<` `>` escaped, as in the service's unary bodies. */
export function prettyJson(value: unknown): string {
  return `${escapeAngles(JSON.stringify(value, null, 2))}\n`;
}

/** One line with a space after each colon, as in the service's events. */
export function lineJson(value: unknown): string {
  // A newline inside a string is escaped, so every literal one is layout.
  return escapeAngles(JSON.stringify(value, null, 1).replaceAll(/\n */g, ""));
}

function escapeAngles(json: string): string {
  return json.replaceAll("<", String.raw`\u003c`).replaceAll(">", String.raw`\u003e`);
}
