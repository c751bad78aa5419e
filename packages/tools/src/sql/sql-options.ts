/** Options that the SQL tools share. */
export interface SqlBounds {
  /** Prepended to each tool's name, with `_`. @defaultValue none */
  readonly prefix?: string | undefined;
  /** What the database contains, for the tools' descriptions. @defaultValue nothing */
  readonly description?: string | undefined;
  /** Most rows per call. @defaultValue 200 */
  readonly maxRows?: number | undefined;
  /** Most characters of one value; longer ones are visibly truncated. @defaultValue 1_000 */
  readonly maxCellCharacters?: number | undefined;
  /** Milliseconds per statement. @defaultValue 10_000 */
  readonly timeoutMs?: number | undefined;
  /** Largest result in bytes of JSON; rows that don't fit are on the next page. @defaultValue 32_768 */
  readonly maxResultBytes?: number | undefined;
  /** Rows of a table are counted up to this number; larger counts read `more than …` or `about …`. @defaultValue 10_000 */
  readonly maxCount?: number | undefined;
}

/** {@link SqlBounds} with defaults. */
export type Bounds = { readonly [Key in keyof SqlBounds]-?: NonNullable<SqlBounds[Key]> };

/** Almost 24.8 days: the longest wait of a timer, minus the time for ending a statement. A longer timer fires at once. */
const LONGEST_MS = 2 ** 31 - 1 - 60_000;

/** @throws {TypeError} If an option is not an integer of at least 1. */
export function boundsOf(options: SqlBounds): Bounds {
  return {
    prefix: options.prefix === undefined ? "" : `${options.prefix}_`,
    description: options.description?.trim() ?? "",
    maxRows: bound("maxRows", options.maxRows ?? 200),
    maxCellCharacters: bound("maxCellCharacters", options.maxCellCharacters ?? 1_000),
    timeoutMs: Math.min(bound("timeoutMs", options.timeoutMs ?? 10_000), LONGEST_MS),
    maxResultBytes: bound("maxResultBytes", options.maxResultBytes ?? 32_768),
    maxCount: bound("maxCount", options.maxCount ?? 10_000),
  };
}

/** @throws {TypeError} If an option is not an integer of at least 1. */
export function bound(option: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new TypeError(`${option} must be an integer of at least 1, got ${String(value)}`);
}
