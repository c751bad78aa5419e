import { tryOr } from "../internal/json.ts";
import type { Media } from "../model/request/check-contents.ts";

/** A value's type in a function response; refused values are `never`. `Value` is only tested, so a tool stays covariant in its output. */
export type JsonOf<Value> = Value extends string | number | boolean | null
  ? Value
  : Value extends undefined | void
    ? null
    : Value extends bigint | Date | Media
      ? string
      : Value extends Refused
        ? never
        : Value extends { toJSON(): infer Json }
          ? JsonOf<Json>
          : Value extends Opaque
            ? unknown
            : Value extends readonly unknown[]
              ? { readonly [Index in keyof Value]: JsonOf<Value[Index]> }
              : Value extends object
                ? {
                    readonly [Name in keyof Value]:
                      | JsonOf<Exclude<Value[Name], undefined>>
                      | Extract<Value[Name], undefined>;
                  }
                : unknown;

/** Values that become something other than an object of their members. */
type Opaque =
  | ((...args: never) => unknown)
  | symbol
  | Error
  | RegExp
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | ArrayBufferView
  | URLSearchParams;

/** Values that are not JSON: their author must await them, read them or pass them to `media()`. */
type Refused = PromiseLike<unknown> | Uint8Array | ArrayBufferLike | Blob | Response | Headers | ReadableStream;

/** A value without a JSON form: `JSON.stringify` would write `{}`, or less than its author meant. */
export class RefusedValue {
  /** The value that replaces it in the copy. */
  readonly copy: string | object;
  /** What it is, and what to write instead: `is a promise: await it`. */
  readonly problem: string;

  constructor(value: object, copy: string | object = value) {
    this.copy = copy;
    this.problem = describe(value);
  }
}

function describe(value: object): string {
  const name = tryOr(() => classOf(value), undefined);
  const named = name === undefined || name === "" || name === "Promise" ? "" : ` (${name})`;
  const has = (method: PropertyKey): boolean => tryOr(() => typeof Reflect.get(value, method) === "function", false);
  if (ArrayBuffer.isView(value) || (has("arrayBuffer") && !has("json")) || value instanceof ArrayBuffer)
    return `has bytes${named}: use media() to show them to the model, or return a text`;
  if (has("then")) return `is a promise${named}: await it`;
  if (has("json")) return `is an HTTP message${named}: return await response.json() or await response.text()`;
  if (has("getReader") || has("pipe")) return `is a stream${named}: read it fully and return the content`;
  if (has(Symbol.asyncIterator)) return `is an async iterator${named}: collect what it yields in an array`;
  if (has(Symbol.iterator) || has("next")) return `is a list, not an array${named}: return an array, such as [...it]`;
  if (name === undefined) return "has only functions: return their results";
  return `is an instance of a class${named}: return a plain object, such as { ...it }, or give the class a toJSON()`;
}

/** The name of a value's class, if it has one. The prototype of object literals, in any realm, has none. */
export function classOf(value: object): string | undefined {
  const tag = Object.prototype.toString.call(value).slice("[object ".length, -1);
  const name = tag === "Object" ? value.constructor?.name : tag;
  return name === "Object" ? undefined : name;
}

/** A place in a value, such as `$.items[2].body`. */
export function pathOf(keys: readonly (string | number)[]): string {
  const steps = keys.map((key) => (/^[A-Za-z_$][\w$]*$/.test(String(key)) ? `.${key}` : `[${JSON.stringify(key)}]`));
  return `$${steps.join("")}`;
}
