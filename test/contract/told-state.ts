import { type EmulatorOptions, faults } from "@pollux/emulator";
import type { PlainRefusal } from "./refusal.ts";

/** Why the service refused a request that was in order: something it knew and the request does not say. */
export interface ToldState {
  /** In a few words, for the report. */
  readonly what: string;
  /** How an emulator is brought into it; absent where it cannot be, and there is nothing to compare. */
  readonly options?: Pick<EmulatorOptions, "strict" | "faults"> | undefined;
  /** Credentials to send. Default: good ones. */
  readonly credentials?: Readonly<Record<string, string>> | undefined;
}

/** The state that a refusal tells of; `undefined` for one that the request brought about. */
export function toldState({ status, message }: PlainRefusal): ToldState | undefined {
  const found = STATES.find(([pattern]) => pattern.test(message))?.[1];
  if (found !== undefined) return found;
  if (status === 429) return { what: "quota", options: { faults: [{ at: () => true, fault: quotaFault(message) }] } };
  if (status === 402)
    return { what: "credit", options: { faults: [{ at: () => true, fault: faults.prepaidEmpty() }] } };
  if (status === 401 || status === 403) return { what: "what the caller may do" };
  return undefined;
}

const STATES: readonly (readonly [RegExp, ToldState])[] = [
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

/** The fault whose text this is most like. */
function quotaFault(message: string): ReturnType<typeof faults.plainQuota> {
  if (/limit: 0(?![\d.])/.test(message)) return faults.tierWithoutModel();
  if (/exceeded your current quota/.test(message)) return faults.perMinuteQuota();
  if (/spend rate/.test(message)) return faults.spendRate();
  return faults.plainQuota({ wording: message.startsWith("Resource exhausted") ? "shared" : "quota" });
}
