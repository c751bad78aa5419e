/** A JSON object that nobody has checked. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** True for a JSON object. */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** True for the same JSON, with its members in the same order. */
export function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** The members that are set. */
export type Defined<Members> = { [Name in keyof Members]?: NonNullable<Members[Name]> };

/** The members that are set, in their order. */
export function defined<Members extends object>(members: Members): Defined<Members> {
  // Only what is undefined is left out.
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Defined<Members>;
}

/** A list or a JSON object; undefined when it is empty. */
export function filled<Value extends object>(value: Value): Value | undefined {
  return Object.keys(value).length > 0 ? value : undefined;
}

/** A text; undefined when it is empty, or not a text. */
export function someText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
