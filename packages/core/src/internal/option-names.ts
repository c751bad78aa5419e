import { wordsIn } from "./text.ts";

/** The names of all options of a type; one that is added to the type but not listed here does not compile. */
export type OptionNames<Options> = { readonly [Name in keyof Required<Options>]: true };

/** The words of a text, where spaces separate them. */
export type Words<Text extends string> = Text extends `${infer First} ${infer Rest}` ? First | Words<Rest> : Text;

/* @__NO_SIDE_EFFECTS__ */
/** The names in texts, where spaces separate them. */
export function namesIn<const Texts extends readonly string[]>(
  ...texts: Texts
): { readonly [Name in Words<Texts[number]>]: true } {
  // One member for each word, as the type has it.
  return Object.fromEntries([...wordsIn(...texts)].map((name) => [name, true])) as {
    [N in Words<Texts[number]>]: true;
  };
}

/** By advice: the spellings of other libraries that it is for, separated by spaces. */
export type Spellings = { readonly [ours: string]: string };

/** Advice on a name, such as "use input". */
export type Advice = Spellings | ((name: string) => string | undefined);

/** The advice for the spelling of another library, if it is one. */
export function findSpelling(spellings: Spellings, name: string): string | undefined {
  return Object.entries(spellings).find(([, theirs]) => theirs.split(" ").includes(name))?.[0];
}

/** Describes the first option that does not exist, with advice. Options that are undefined don't count; an instance of a class may have more. */
export function describeUnknownOption(given: object, names: object, advise: Advice): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(given);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || Object.hasOwn(names, name)) continue;
    const problem = `there is no option "${name}"`;
    const advice = typeof advise === "function" ? advise(name) : findSpelling(advise, name);
    if (advice !== undefined) return `${problem}: ${advice}`;
    const nearest = nearestName(name, Object.keys(names));
    return nearest === undefined ? problem : `${problem}; did you mean "${nearest}"?`;
  }
  return undefined;
}

/** Rejects options that have no member in `names`. @throws {TypeError} With `where`, such as `run()`, and what to do. */
export function checkOptions(where: string, given: unknown, names: object, advise: Advice = {}): void {
  if (typeof given !== "object" || given === null)
    throw new TypeError(`${where}: the options must be an object, got ${given === null ? "null" : typeof given}`);
  const problem = describeUnknownOption(given, names, advise);
  if (problem !== undefined) throw new TypeError(`${where}: ${problem}`);
}

/** Defaults, overridden by the given limits. @throws {TypeError} Naming `option`, for a limit that is not positive or does not exist. */
export function withDefaults<T extends { readonly [Name in keyof T]: number }>(
  defaults: T,
  given: { readonly [Name in keyof T]?: number | undefined } | undefined,
  option: string,
): T {
  if (given !== undefined) checkOptions(option, given, defaults, () => `there are ${Object.keys(defaults).join(", ")}`);
  const merged: T = { ...defaults };
  for (const name in defaults) {
    const value = given?.[name];
    if (value === undefined) continue;
    if (typeof value !== "number" || !(value > 0)) throw new TypeError(`${option}.${name} must be a positive number`);
    Object.assign(merged, { [name]: value });
  }
  return merged;
}

/** Describes a set option that is neither one of the `allowed` values nor of a `kind` as in `typeof`. */
export function describeValue(
  option: string,
  given: unknown,
  allowed: readonly unknown[],
  kind?: string,
): string | undefined {
  if (given === undefined || typeof given === kind || allowed.includes(given)) return undefined;
  const expected = [...allowed.map((one) => JSON.stringify(one)), ...(kind === undefined ? [] : [`a ${kind}`])];
  return `${option} must be ${expected.join(" or ")}, got ${typeof given === "string" ? `"${given}"` : typeof given}`;
}

/** Rejects a number that is too small, and a value that is not a number, such as `NaN`. @throws {TypeError} Naming the option and the minimum. */
export function checkAtLeast(option: string, given: unknown, least: number): void {
  if (given === undefined || (typeof given === "number" && given >= least)) return;
  throw new TypeError(
    `${option} must be at least ${least}, got ${typeof given === "number" ? given : describeType(given)}`,
  );
}

/** The type of a value in a sentence: `a string`, `null`. */
export function describeType(value: unknown): string {
  return value === null || value === undefined ? String(value) : `a ${typeof value}`;
}

/** Rejects a value that {@link describeValue} describes. @throws {TypeError} Naming the option and what it must be. */
export function checkValue(option: string, given: unknown, allowed: readonly unknown[], kind?: string): void {
  const problem = describeValue(option, given, allowed, kind);
  if (problem !== undefined) throw new TypeError(problem);
}

/** The known name closest to a name, if one is close: a third of the letters may differ, or two of a short name. */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const known of names) {
    const distance = levenshtein(name.toLowerCase(), known.toLowerCase());
    if (distance < least) [nearest, least] = [known, distance];
  }
  return nearest;
}

function levenshtein(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, left] of a.split("").entries()) {
    const next = [i + 1];
    for (const [j, right] of b.split("").entries())
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (left === right ? 0 : 1)));
    row = next;
  }
  return row.at(-1) ?? 0;
}
