import { gatewayError, googleError } from "./error-body.ts";
import type { CutFault, SlowFault, StreamErrorFault, UsageChunkFault } from "./fault.ts";

/** Position in a stream. */
export interface AfterChunks {
  /** Chunks sent before it. Default: 1. */
  readonly afterChunks?: number | undefined;
}

/** S-6: HTTP 200, some chunks, then an error object. */
export function errorInStream(
  options: AfterChunks & {
    /** Default: 503. */
    readonly code?: number | undefined;
    /** Default: `UNAVAILABLE`. */
    readonly status?: string | undefined;
    readonly message?: string | undefined;
    /** Without `data:` in front. Default: false. */
    readonly bare?: boolean | undefined;
    /** A line that follows it, such as `data: [DONE]` or `: bye`. Default: none. */
    readonly trailer?: string | undefined;
  } = {},
): StreamErrorFault {
  const {
    afterChunks = 1,
    code = 503,
    status = "UNAVAILABLE",
    message = "The model is overloaded. Please try again later.",
    bare = false,
    trailer,
  } = options;
  return {
    kind: "stream-error",
    rule: "S-6",
    status: code,
    data: googleError(code, status, message),
    afterChunks,
    bare,
    trailer,
  };
}

/** S-13 inside a stream: HTTP 200, some chunks, then an error in a gateway's shape. */
export function gatewayErrorInStream(
  options: AfterChunks & { readonly message?: string | undefined; readonly code?: string | undefined } = {},
): StreamErrorFault {
  const { afterChunks = 1, message = "upstream error: do request failed", code = "do_request_failed" } = options;
  return {
    kind: "stream-error",
    rule: "S-13",
    status: 500,
    data: gatewayError(message, code, "upstream_error"),
    afterChunks,
    bare: false,
  };
}

/** S-7: the body ends cleanly between two chunks, without a finish reason. */
export function closeEarly(options: AfterChunks = {}): CutFault {
  return { kind: "cut", rule: "S-7", afterChunks: options.afterChunks ?? 1, reset: false };
}

/** S-7: the body ends cleanly in the middle of a JSON object. */
export function closeMidJson(options: { /** Default: 40. */ readonly atByte?: number | undefined } = {}): CutFault {
  return { kind: "cut", rule: "S-7", atByte: options.atByte ?? 40, reset: false };
}

/** S-7: the connection is reset. Over `fetch` without a socket, reading the body fails the same way. */
export function reset(options: AfterChunks & { readonly atByte?: number | undefined } = {}): CutFault {
  return { kind: "cut", rule: "S-7", afterChunks: options.afterChunks ?? 1, atByte: options.atByte, reset: true };
}

/** S-11: silence between two chunks. `Infinity` lasts until the client gives up. */
export function stall(options: AfterChunks & { readonly ms: number }): SlowFault {
  return { kind: "slow", rule: "S-11", firstByteMs: 0, stallMs: options.ms, afterChunks: options.afterChunks ?? 1 };
}

/** S-11: silence before the first byte. */
export function slowFirstByte(options: { readonly ms: number }): SlowFault {
  return { kind: "slow", rule: "S-11", firstByteMs: options.ms, stallMs: 0, afterChunks: 0 };
}

/** S-8: a chunk with usage but no candidates, between ordinary ones. */
export function usageOnlyChunk(options: AfterChunks = {}): UsageChunkFault {
  return { kind: "usage-chunk", rule: "S-8", afterChunks: options.afterChunks ?? 1 };
}
