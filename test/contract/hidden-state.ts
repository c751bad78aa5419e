import { type EmulatorOptions, faults } from "@pollux/emulator";
import type { PlainRefusal } from "./refusal.ts";

/** State of the service that made it refuse a valid request, and that the request does not show. */
export interface HiddenState {
  /** In a few words, for the report. */
  readonly what: string;
  /** Puts an emulator into that state; absent if that is impossible, so there is nothing to compare. */
  readonly options?: Pick<EmulatorOptions, "strict" | "faults"> | undefined;
  /** Credentials to send. Default: valid ones. */
  readonly credentials?: Readonly<Record<string, string>> | undefined;
}

/** The state behind a refusal; `undefined` if the request itself caused it. */
export function hiddenState({ status, message }: PlainRefusal): HiddenState | undefined {
  const found = STATES.find(([pattern]) => pattern.test(message))?.[1];
  if (found !== undefined) return found;
  if (status === 429) return { what: "quota", options: { faults: [{ at: () => true, fault: quotaFault(message) }] } };
  if (status === 402)
    return { what: "credit", options: { faults: [{ at: () => true, fault: faults.prepaidEmpty() }] } };
  if (status === 401 || status === 403) return { what: "what the caller may do" };
  return undefined;
}

const STATES: readonly (readonly [RegExp, HiddenState])[] = [
  [/API key not valid/, { what: "the key", credentials: { "x-goog-api-key": "bad-key" } }],
  [/API key expired/, { what: "the key", credentials: { "x-goog-api-key": "expired-key" } }],
  [/reported as leaked/, { what: "the key", credentials: { "x-goog-api-key": "leaked-key" } }],
  [/unregistered callers|missing required authentication/, { what: "the key", credentials: {} }],
  [/invalid authentication credentials/, { what: "the token", credentials: { authorization: "Bearer bad-token" } }],
  [/User location is not supported/, { what: "the region", options: { strict: { regionSupported: false } } }],
  [/URL_ROBOTED/, { what: "a page closed to robots", options: { strict: { fileState: () => "robots" } } }],
  [/not in an ACTIVE state/, { what: "a file's state", options: { strict: { fileState: () => "processing" } } }],
  [/permission to access the File/, { what: "a file's owner", options: { strict: { fileState: () => "forbidden" } } }],
  [/no longer available to new users/, { what: "a model's age", options: { strict: { retiredModels: "refuse" } } }],
  [/CachedContent/, { what: "a cache" }],
  [
    /no pages|process input (?:image|file)|image is not valid|unable to (?:decode|parse)/i,
    { what: "the bytes of a file" },
  ],
  [/\$grpcMessage/, { what: "words that were never filled in" }],
];

/** The fault with the most similar text. */
function quotaFault(message: string): ReturnType<typeof faults.plainQuota> {
  if (/limit: 0(?![\d.])/.test(message)) return faults.tierWithoutModel();
  if (/exceeded your current quota/.test(message)) return faults.perMinuteQuota();
  if (/spend rate/.test(message)) return faults.spendRate();
  return faults.plainQuota({ wording: message.startsWith("Resource exhausted") ? "shared" : "quota" });
}
