import { tryOr } from "../internal/json.ts";
import type { JsonObject } from "../wire/types/content.ts";
import type { RunContext } from "./run-context.ts";

/** The state of a job. */
export type JobReport<Output = unknown> =
  | { readonly output: Output }
  /** It failed; the model reads why. */
  | { readonly error: string }
  /** JSON of 16 KB at most; only the latest one counts. */
  | { readonly progress: unknown }
  /** It is over. Once a person has approved the call with these arguments, `start` is called again for another job. */
  | { readonly ask: JsonObject };

/** A job that ended with a question, before another one. */
export interface AskedBefore {
  /** Empty when only its question is known. */
  readonly jobId: string;
  /** All arguments that it asked about. Where the call's differ, a person changed them. */
  readonly args: JsonObject;
}

/** A job that a call has started. */
export interface StartedJob {
  /** From its service; empty when only its outcome is known. */
  readonly jobId: string;
  /** When it started, in milliseconds since the epoch. */
  readonly since: number;
  /** When the run stops waiting for it, in milliseconds since the epoch; absent: never. */
  readonly until?: number | undefined;
  /** Minimum milliseconds between two checks; absent when its tool has no `check`. */
  readonly everyMs?: number | undefined;
  /** Number of the start within its call, from 2; absent for the first. */
  readonly number?: number | undefined;
}

/** Longest time between two checks of a job in milliseconds, unless its own interval is longer. */
const MAX_CHECK_MS = 300_000;

/** When to check a job next, in milliseconds since the epoch. @param last - Time of the last check. @defaultValue when it started */
export function nextCheckAt(
  { since, everyMs }: { readonly since: number; readonly everyMs: number },
  last: number = since,
): number {
  return last + Math.max(everyMs, Math.min(MAX_CHECK_MS, (last - since) / 10));
}

/** Context of a job's `check` and `cancel`. */
export interface JobContext<Context = unknown> extends RunContext<Context> {
  /** The run's `context` option; undefined when a waiting run is stopped. */
  readonly context: Context;
  readonly callId: string;
  /** When the job started, in milliseconds since the epoch. */
  readonly since: number;
}

/** A call that starts a job. */
export interface JobCall {
  /** Absent outside of a session. */
  readonly sessionId?: string | undefined;
  readonly runId: string;
  readonly callId: string;
  /** As in {@link StartedJob}. */
  readonly number?: number | undefined;
}

/** Encodes a call as text for the address of a webhook. */
export function writeJobCallback({ sessionId = "", runId, callId, number }: JobCall): string {
  const bytes = new TextEncoder().encode(
    JSON.stringify([sessionId, runId, callId, ...(number === undefined ? [] : [number])]),
  );
  const base64 = btoa(String.fromCharCode(...bytes));
  return base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Decodes a `callback` of `defineJob()`; undefined for any other text. */
export function readJobCallback(callback: string): JobCall | undefined {
  const read = (): unknown => {
    const binary = atob(callback.replaceAll("-", "+").replaceAll("_", "/"));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (one) => one.charCodeAt(0))));
  };
  const [sessionId, runId, callId, number]: readonly unknown[] = [tryOr(read, [])].flat();
  if (typeof sessionId !== "string" || typeof runId !== "string" || typeof callId !== "string") return undefined;
  return { runId, callId, ...(sessionId !== "" && { sessionId }), ...(typeof number === "number" && { number }) };
}
