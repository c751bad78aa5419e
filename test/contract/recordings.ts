import type { AnswerDigest } from "@pollux/emulator";

/** An unchecked JSON object. */
export type Json = { readonly [key: string]: unknown };

/** One request and its answer. */
export interface Exchange {
  readonly path: string | null;
  readonly model: string | null;
  /** The model that answered, if the answer names it: the meaning of an alias changes over time. */
  readonly modelVersion?: string | null | undefined;
  readonly request: Json | null;
  readonly status: number;
  readonly responseHeaders: { readonly [name: string]: string } | null;
  readonly responseBody: string;
  /** `stream` or `unary`; `error` for an error. */
  readonly kind: readonly string[];
  readonly features: readonly string[];
  /** The framing of the body: `json`, `sse` or `json-array`. */
  readonly framing: string;
  /** Index of the earlier exchange whose contents are a strict prefix of this one's. */
  readonly continues: number | null;
  readonly digest: AnswerDigest | null;
}

/** One recorded case. */
export interface Recording {
  /** Path below the folder. */
  readonly file: string;
  readonly model: string | null;
  readonly api: string | null;
  readonly features: readonly string[];
  /** The quality of the text: `exact`, or how it was changed. */
  readonly fidelity: readonly string[];
  /** Its public source, such as `owner/name@commit:path`. */
  readonly source?: string | undefined;
  /** SPDX name of its license. */
  readonly license?: string | undefined;
  readonly exchanges: readonly Exchange[];
}

/** True if the client requested a stream, or the body can only come from one. */
export function isStream({ kind, framing }: Exchange): boolean {
  return kind.includes("stream") || framing === "json-array" || framing.startsWith("sse");
}

/** True for an exchange with status 200; its body may still contain an error. */
export function isAnswered({ status }: Exchange): boolean {
  return status >= 200 && status < 300;
}

/** Model id of an exchange, without its resource path. */
export function modelOf(recording: Recording, exchange: Exchange): string {
  const named = exchange.model ?? recording.model ?? "gemini-flash-latest";
  return named.slice(named.lastIndexOf("/") + 1);
}

/** True for JSON objects. */
export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A list unchanged, a single value as a list of one, undefined as an empty list: the service accepts all three. */
export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}
