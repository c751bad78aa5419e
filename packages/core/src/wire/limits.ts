/**
 * Defaults with the given limits over them; an `undefined` keeps the default.
 *
 * @param option - Name of the option that holds them, for the error.
 * @throws {TypeError} For a limit that is not a positive number.
 */
export function withDefaults<T extends { readonly [Name in keyof T]: number }>(
  defaults: T,
  given: { readonly [Name in keyof T]?: number | undefined } | undefined,
  option: string,
): T {
  const merged: T = { ...defaults };
  for (const name in defaults) {
    const value = given?.[name];
    if (value === undefined) continue;
    if (typeof value !== "number" || !(value > 0)) throw new TypeError(`${option}.${name} must be a positive number`);
    Object.assign(merged, { [name]: value });
  }
  return merged;
}
