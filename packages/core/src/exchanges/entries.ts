import type { StepPlace } from "../durable/run-log.ts";
import { isObject } from "../internal/json.ts";
import type { ParentStep } from "../tool/tool.ts";
import type { HeaderFields } from "../wire/endpoints/endpoint.ts";
import type { HttpExchange } from "../wire/http/exchange-tap.ts";

/** Version of the entries that this release writes and reads. */
export const EXCHANGE_VERSION = 1;

/** One exchange as it is written down: what earlier entries of the log hold is referred to. */
export interface ExchangeEntry {
  readonly v: number;
  readonly type: "exchange";
  /** When it was sent, in milliseconds since the epoch. */
  readonly at: number;
  /** Milliseconds until it was over. */
  readonly ms: number;
  readonly runId: string;
  /** Of a nested run. */
  readonly parent?: ParentStep;
  /** Name of the step. */
  readonly step: string;
  readonly place: StepPlace;
  readonly stepAttempt: number;
  readonly attempt: number;
  /** What many exchanges have in common, or the position of the entry that has it. */
  readonly about: ExchangeAbout | number;
  readonly body: BodyDelta;
  readonly status?: number;
  /** Of the answer. */
  readonly headers?: HeaderFields;
  /** Of the answer: milliseconds since the request was sent, and text. */
  readonly chunks: readonly (readonly [ms: number, text: string])[];
  readonly ended: HttpExchange["ended"];
  readonly error?: HttpExchange["error"];
  /** Exchanges before this one that could not be written. */
  readonly dropped?: number;
}

/** What exchanges have in common. */
export interface ExchangeAbout {
  readonly agent: string;
  readonly model: string;
  readonly endpoint?: string;
  readonly operation: string;
  readonly method: string;
  readonly url: string;
  /** Of the request. */
  readonly headers: HeaderFields;
}

/** A body of `bytes` bytes, part by part: text as UTF-8, or bytes of the base from one position up to another. */
export interface BodyDelta {
  readonly bytes: number;
  /** Position of the entry with the other body. */
  readonly base?: number;
  /** Bytes that both have in common at their beginning. */
  readonly shared?: number;
  readonly parts: readonly (string | readonly [from: number, to: number])[];
}

/** True for an entry of this version; says nothing about the entries that it refers to. */
export function isExchangeEntry(value: unknown): value is ExchangeEntry {
  return (
    isObject(value) &&
    value["type"] === "exchange" &&
    value["v"] === EXCHANGE_VERSION &&
    ["at", "ms", "stepAttempt", "attempt"].every((name) => typeof value[name] === "number") &&
    ["runId", "step", "ended"].every((name) => typeof value[name] === "string") &&
    isPlace(value["place"]) &&
    (isPosition(value["about"]) || isAbout(value["about"])) &&
    isDelta(value["body"]) &&
    isMaybe(value["status"], "number") &&
    (value["parent"] === undefined || isTexts(value["parent"])) &&
    (value["headers"] === undefined || isTexts(value["headers"])) &&
    (value["error"] === undefined || isTexts(value["error"])) &&
    isMaybe(value["dropped"], "number") &&
    Array.isArray(value["chunks"]) &&
    value["chunks"].every(
      (chunk) => Array.isArray(chunk) && typeof chunk[0] === "number" && typeof chunk[1] === "string",
    )
  );
}

function isPlace(value: unknown): boolean {
  return isObject(value) && typeof value["kind"] === "string" && typeof value["turn"] === "number";
}

function isAbout(value: unknown): boolean {
  return (
    isObject(value) &&
    ["agent", "model", "operation", "method", "url"].every((name) => typeof value[name] === "string") &&
    isMaybe(value["endpoint"], "string") &&
    isTexts(value["headers"])
  );
}

function isDelta(value: unknown): boolean {
  if (!isObject(value) || !isPosition(value["bytes"]) || !Array.isArray(value["parts"])) return false;
  return (
    ["base", "shared"].every((name) => value[name] === undefined || isPosition(value[name])) &&
    value["parts"].every((part) => typeof part === "string" || isRange(part))
  );
}

function isRange(value: unknown): boolean {
  return Array.isArray(value) && isPosition(value[0]) && isPosition(value[1]) && value[0] <= value[1];
}

function isTexts(value: unknown): boolean {
  return isObject(value) && Object.values(value).every((text) => typeof text === "string");
}

function isMaybe(value: unknown, type: "number" | "string"): boolean {
  return value === undefined || typeof value === type;
}

function isPosition(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
