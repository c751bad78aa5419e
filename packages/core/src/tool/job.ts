import { tryOr } from "../internal/json.ts";
import type { JsonObject } from "../wire/types/content.ts";
import type { RunContext } from "./run-context.ts";

/** What is known of a job. */
export type JobReport<Output = unknown> =
  | { readonly output: Output }
  /** It failed; the model reads why. */
  | { readonly error: string }
  /** JSON of 16 KB at most; only the last one counts. */
  | { readonly progress: unknown }
  /** It is over, and another one follows once a person has approved the call with these arguments: `start` is called again. */
  | { readonly ask: JsonObject };

/** A job that has asked, and that another one follows. */
export interface AskedBefore {
  /** Empty when only what it asked is known. */
  readonly jobId: string;
  /** All arguments that it asked about. What differs in those of the call is a person's. */
  readonly args: JsonObject;
}

/** A job that a call has started. */
export interface StartedJob {
  /** As its service gave it; empty when only its outcome is known. */
  readonly jobId: string;
  /** When it started, in milliseconds since the epoch. */
  readonly since: number;
  /** When nobody waits for it any more; absent for never. */
  readonly until?: number | undefined;
  /** Milliseconds between two checks, at least; absent when its tool has no `check`. */
  readonly everyMs?: number | undefined;
  /** Which start of its call, from 2; absent for the first. */
  readonly number?: number | undefined;
}

/** Longest time between two checks of a job that are not further apart by themselves, in milliseconds. */
const MAX_CHECK_MS = 300_000;

/** When to ask about a job next, in milliseconds since the epoch. @param last - When it was asked about last. @defaultValue when it started */
export function nextCheckAt(
  { since, everyMs }: { readonly since: number; readonly everyMs: number },
  last: number = since,
): number {
  return last + Math.max(everyMs, Math.min(MAX_CHECK_MS, (last - since) / 10));
}

/** Context of a question about a job, or of its cancellation. */
export interface JobContext<Context = unknown> extends RunContext<Context> {
  /** What the run was given; undefined when a run that waits is stopped. */
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
  /** As of {@link StartedJob}. */
  readonly number?: number | undefined;
}

/** The text that stands for a call, for the address of a webhook. */
export function writeJobCallback({ sessionId = "", runId, callId, number }: JobCall): string {
  const bytes = new TextEncoder().encode(
    JSON.stringify([sessionId, runId, callId, ...(number === undefined ? [] : [number])]),
  );
  const base64 = btoa(String.fromCharCode(...bytes));
  return base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The call that a `callback` of `defineJob()` stands for; undefined for any other text. */
export function readJobCallback(callback: string): JobCall | undefined {
  const read = (): unknown => {
    const binary = atob(callback.replaceAll("-", "+").replaceAll("_", "/"));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (one) => one.charCodeAt(0))));
  };
  const [sessionId, runId, callId, number]: readonly unknown[] = [tryOr(read, [])].flat();
  if (typeof sessionId !== "string" || typeof runId !== "string" || typeof callId !== "string") return undefined;
  return { runId, callId, ...(sessionId !== "" && { sessionId }), ...(typeof number === "number" && { number }) };
}
