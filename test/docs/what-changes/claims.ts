/** An application's view of a scenario of `worker.mjs`. */
export interface Seen {
  readonly requests: readonly { readonly path: string; readonly body: SentRequest; readonly atMs: number }[];
  /** In the library's own words; absent if it threw. */
  readonly result?: Readonly<Record<string, unknown>> | undefined;
  readonly error?: { readonly name: string; readonly message: string; readonly status?: unknown } | undefined;
}

interface SentRequest {
  readonly contents: readonly { readonly parts?: readonly { readonly functionResponse?: object }[] }[];
  readonly tools?: readonly Readonly<Record<string, unknown>>[];
}

/** By the name of the scenario. */
export type SeenOf = Readonly<Record<string, Seen>>;

/** A cell of a table "What changes", and a check that the observations support it. */
export type Claim = readonly [cell: string, holds: (seen: SeenOf) => boolean];

/** The claims about a library, by scenario. */
export type Claims = Readonly<Record<string, Claim>>;

export const THROWS = "a tool throws";
export const UNKNOWN = "the model calls a function that doesn't exist";
export const UNAVAILABLE = "the service answers 503 once";
export const EMPTY = "an answer is empty";
export const BLOCKED = "the prompt is blocked";
export const TRUNCATED = "the answer is cut off by the token limit";
export const ENDLESS = "the model never stops calling tools";
export const SEARCH = "search beside functions, on Gemini 2.x";
export const API_VERSION = "API version";

/** The number of requests in a scenario. */
export function requestsOf(seen: Seen | undefined): number {
  return seen?.requests.length ?? 0;
}

/** Whether the run reached the model's last answer. */
export function isAnswered(seen: Seen | undefined): boolean {
  return seen?.result?.["text"] === "It rains in Oslo.";
}

/** Whether the program got these values. */
export function gave(seen: Seen | undefined, values: Readonly<Record<string, unknown>>): boolean {
  return seen?.result !== undefined && Object.entries(values).every(([name, value]) => seen.result?.[name] === value);
}

/** Whether the program got this error. */
export function failed(seen: Seen | undefined, name: string, message = ""): boolean {
  return seen?.error?.name === name && seen.error.message.includes(message);
}

/** Whether the model got a text in the response to its call, and answered. */
export function isTold(seen: Seen | undefined, text: string): boolean {
  return isAnswered(seen) && responsesIn(seen).includes(text);
}

/** The function responses of the last request, as JSON. */
export function responsesIn(seen: Seen | undefined): string {
  const parts = seen?.requests.at(-1)?.body.contents.flatMap((content) => content.parts ?? []) ?? [];
  return JSON.stringify(parts.flatMap(({ functionResponse }) => functionResponse ?? []));
}
