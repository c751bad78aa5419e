import { ApiTimeoutError, type TimeoutKind } from "../errors/api-errors.ts";
import { checkOptions } from "../internal/option-names.ts";

/** The client's own time limits, in milliseconds; `Infinity` disables one. */
export interface Timeouts {
  /** From sending the request to the first byte of the body. @defaultValue 300_000 */
  readonly firstByteMs: number;
  /** Between two reads of the body; only the time spent waiting for the service counts. @defaultValue 120_000 */
  readonly idleMs: number;
  /** For the whole attempt; also sent to the service. @defaultValue 1_200_000 */
  readonly totalMs: number;
}

/** Five minutes to the first byte, two between reads, twenty in total. */
export const DEFAULT_TIMEOUTS: Timeouts = { firstByteMs: 300_000, idleMs: 120_000, totalMs: 1_200_000 };

/** Limits on what an answer may make a client hold. */
export interface AnswerLimits {
  /** Most bytes of one event of a stream, or of a whole answer. @defaultValue 67_108_864 (64 MiB) */
  readonly maxBufferBytes: number;
  /**
   * Most bytes of a whole streamed answer, decompressed. A longer one fails with an `ApiShapeError`.
   *
   * @defaultValue 268_435_456 (256 MiB)
   */
  readonly maxAnswerBytes: number;
  /** Most chunks of a streamed answer. One with more fails with an `ApiShapeError`. @defaultValue 1_000_000 */
  readonly maxAnswerChunks: number;
}

export const DEFAULT_LIMITS: AnswerLimits = {
  maxBufferBytes: 64 * 1024 * 1024,
  // Well below the longest string, which everything in an answer may become.
  maxAnswerBytes: 256 * 1024 * 1024,
  maxAnswerChunks: 1_000_000,
};

/** The error for a limit that has passed. */
export function timeoutError(kind: TimeoutKind, limitMs: number): ApiTimeoutError {
  const message = {
    "first-byte": `No byte of the response arrived within ${limitMs} ms; raise timeouts.firstByteMs if the model may think longer.`,
    idle: `The response stalled for ${limitMs} ms; raise timeouts.idleMs if the model may pause longer.`,
    total: `The response was not complete after ${limitMs} ms; raise timeouts.totalMs or request less at once.`,
  }[kind];
  return new ApiTimeoutError(kind, limitMs, message);
}

/**
 * Defaults with the given limits over them; an `undefined` keeps the default.
 *
 * @param option - Name of the option that holds them, for the error.
 * @throws {TypeError} For a limit that is not a positive number, or that does not exist.
 */
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
