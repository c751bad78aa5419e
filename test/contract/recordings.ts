import type { AnswerDigest } from "@pollux/emulator";

/** A JSON object nobody has looked into yet. */
export type Json = { readonly [key: string]: unknown };

/** One request and its answer. */
export interface Exchange {
  readonly path: string | null;
  readonly model: string | null;
  /** The model that answered, where the answer names one: an alias stands for another one in time. */
  readonly modelVersion?: string | null | undefined;
  readonly request: Json | null;
  readonly status: number;
  readonly responseHeaders: { readonly [name: string]: string } | null;
  readonly responseBody: string;
  /** `stream` or `unary`, and `error` for an answer that is one. */
  readonly kind: readonly string[];
  readonly features: readonly string[];
  /** How the body is laid out: `json`, `sse` or `json-array`. */
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
  /** What the text is good for: `exact`, or what happened to it on the way here. */
  readonly fidelity: readonly string[];
  /** Where it was published, such as `owner/name@commit:path`. */
  readonly source?: string | undefined;
  /** SPDX name of the license it was published under. */
  readonly license?: string | undefined;
  readonly exchanges: readonly Exchange[];
}

/** True for an exchange that was asked for as a stream, or whose body can only come from one. */
export function isStream({ kind, framing }: Exchange): boolean {
  return kind.includes("stream") || framing === "json-array" || framing.startsWith("sse");
}

/** True for an exchange that was not refused; its body may hold an error all the same. */
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

/** A list as it is, a single thing as a list of one, nothing as an empty list: the service takes all three. */
export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}
