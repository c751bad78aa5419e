import type { Media } from "../model/request/media-part.ts";

/**
 * A value as a function response holds it. Types without a JSON form become `unknown`.
 *
 * `Value` is only ever tested, never tested against: otherwise a tool would be invariant in its output.
 */
export type JsonOf<Value> = Value extends string | number | boolean | null
  ? Value
  : Value extends undefined | void
    ? null
    : Value extends bigint | Date | Media
      ? string
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
  | ArrayBufferLike
  | ArrayBufferView
  | Blob
  | URLSearchParams;
