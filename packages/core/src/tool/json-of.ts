import type { Media } from "../model/request/media-part.ts";

/**
 * A value as a function response holds it. Types that become something else than their members are `unknown`; a call that returns what
 * is refused has no output, so that is `never`.
 *
 * `Value` is only ever tested, never tested against: otherwise a tool would be invariant in its output.
 */
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

/** What becomes something else than an object of its members. */
type Opaque =
  | ((...args: never) => unknown)
  | symbol
  | Error
  | RegExp
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | ArrayBufferView
  | URLSearchParams;

/** What is no JSON: to be awaited, read or passed to `media()`. */
type Refused = PromiseLike<unknown> | Uint8Array | ArrayBufferLike | Blob | Response | Headers | ReadableStream;
