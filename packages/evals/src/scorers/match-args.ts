import { isDeepStrictEqual } from "node:util";

/** A schema of zod, Valibot, ArkType and others. @see https://standardschema.dev */
export interface Schema<Output = unknown> {
  readonly "~standard": {
    readonly vendor: string;
    readonly validate: (value: unknown) => Checked<Output> | Promise<Checked<Output>>;
  };
}

type Checked<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Arguments of a call, as JSON. */
export type CallArgs = Readonly<Record<string, unknown>>;

/**
 * What arguments must be: a schema, a predicate, or some of their members. Members of members count as well, lists have the same length, and
 * any value in it may be a regular expression for a text, a schema, a predicate, or a matcher such as `expect.any(String)`.
 */
export type ArgsMatcher = Schema | ((args: CallArgs) => boolean) | CallArgs;

/**
 * True when a value is as expected; of an object, when the expected members are.
 *
 * @throws {TypeError} For a schema that validates asynchronously.
 */
export function matchesArgs(expected: unknown, actual: unknown): boolean {
  if (isSchema(expected)) return isValid(expected, actual);
  // It may return anything.
  if (typeof expected === "function") return (expected as (value: unknown) => unknown)(actual) === true;
  if (expected instanceof RegExp) return typeof actual === "string" && actual.search(expected) !== -1;
  if (Array.isArray(expected))
    return (
      Array.isArray(actual) &&
      actual.length === expected.length &&
      expected.every((item, index) => matchesArgs(item, actual[index]))
    );
  if (!isObject(expected)) return expected === actual;
  if (typeof expected["asymmetricMatch"] === "function") return expected["asymmetricMatch"](actual) === true;
  if (!isObject(actual)) return false;
  return Object.entries(expected).every(([name, member]) =>
    matchesArgs(member, Object.hasOwn(actual, name) ? actual[name] : undefined),
  );
}

function isValid({ "~standard": standard }: Schema, value: unknown): boolean {
  const checked = standard.validate(value);
  if (checked instanceof Promise)
    throw new TypeError(`this schema of ${standard.vendor} checks asynchronously: match arguments with a predicate`);
  return checked.issues === undefined;
}

/** True for a schema; ArkType's are functions. */
export function isSchema(value: unknown): value is Schema {
  return (typeof value === "object" || typeof value === "function") && value !== null && "~standard" in value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** True for equal JSON: the order of members doesn't matter, and undefined members don't count. */
export function sameJson(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(toJson(a), toJson(b));
}

function toJson(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
