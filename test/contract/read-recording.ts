import type { AnswerDigest } from "@pollux/emulator";
import { type Exchange, isJson, type Json, listOf, type Recording } from "./recordings.ts";

/** Any parsed JSON → a recording; `undefined` if it has no exchanges. Infers missing members from the others. */
export function readRecording(file: string, value: unknown): Recording | undefined {
  if (!isJson(value) || !Array.isArray(value["exchanges"])) return undefined;
  const exchanges: Exchange[] = [];
  for (const given of value["exchanges"]) exchanges.push(readExchange(isJson(given) ? given : {}, exchanges));
  return {
    file,
    model: textIn(value["model"]) ?? null,
    api: textIn(value["api"]) ?? null,
    features: wordsIn(value["features"]),
    fidelity: wordsIn(value["fidelity"]),
    source: textIn(value["source"]),
    license: textIn(value["license"] ?? value["licence"]),
    exchanges,
  };
}

/** The service's method in an address: `generateContent`, `countTokens`, …; `undefined` if there is none. */
export function methodOf(path: string | null): string | undefined {
  return /:([a-zA-Z]+)(?=$|[?#])/.exec(path ?? "")?.[1];
}

/** The framing of a body, guessed from its text. */
export function framingOf(body: string): "json" | "json-array" | "sse" {
  const start = body.trimStart()[0];
  if (start === "[") return "json-array";
  return start !== "{" && /^(?:data|event|id|retry)?:/m.test(body) ? "sse" : "json";
}

function readExchange(given: Json, earlier: readonly Exchange[]): Exchange {
  const path = textIn(given["path"]) ?? textIn(given["url"]) ?? null;
  const request = jsonIn(given["request"]);
  const responseBody = bodyIn(given["responseBody"]);
  const status = statusIn(given["status"], responseBody);
  const kind = wordsIn(given["kind"]);
  const known = kind.some((word) => word === "stream" || word === "unary");
  const seen = framingOf(responseBody);
  const stream = known
    ? kind.includes("stream")
    : methodOf(path) === "streamGenerateContent" || seen === "sse" || seen === "json-array";
  // An empty stream has no chunks.
  const framing = stream && responseBody.trim() === "" ? "sse" : seen;
  const { continues } = given;
  return {
    path,
    model: textIn(given["model"]) ?? /\/models\/([^/:?]+)/.exec(path ?? "")?.[1] ?? null,
    modelVersion: textIn(given["modelVersion"]) ?? /"modelVersion"\s*:\s*"([^"]+)"/.exec(responseBody)?.[1] ?? null,
    request,
    status,
    responseHeaders: headersIn(given["responseHeaders"]),
    responseBody,
    kind: known ? kind : [...kind, stream ? "stream" : "unary"],
    features: wordsIn(given["features"]),
    framing,
    continues: isEarlier(continues, earlier) ? continues : continues === null ? null : continued(request, earlier),
    digest: digestIn(given["digest"]),
  };
}

function isEarlier(value: unknown, earlier: readonly Exchange[]): value is number {
  return typeof value === "number" && earlier[value] !== undefined;
}

/** The latest exchange whose contents are the beginning of this one's; `null` for none. */
function continued(request: Json | null, earlier: readonly Exchange[]): number | null {
  const ours = listOf(request?.["contents"]).map((content) => JSON.stringify(content));
  let [best, most] = [null as number | null, 0];
  for (const [index, exchange] of earlier.entries()) {
    const theirs = listOf(exchange.request?.["contents"]).map((content) => JSON.stringify(content));
    const isPrefix = theirs.length < ours.length && theirs.every((content, i) => content === ours[i]);
    if (isPrefix && theirs.length >= most && theirs.length > 0) [best, most] = [index, theirs.length];
  }
  return best;
}

function textIn(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function wordsIn(value: unknown): readonly string[] {
  return listOf(value).filter((word) => typeof word === "string");
}

/** Some recorders store bodies as text. */
function jsonIn(value: unknown): Json | null {
  if (isJson(value)) return value;
  if (typeof value !== "string") return null;
  try {
    const parsed: unknown = JSON.parse(value);
    return isJson(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

function bodyIn(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function statusIn(value: unknown, body: string): number {
  const status = Number(value);
  if (value !== null && Number.isInteger(status) && status >= 100 && status <= 599) return status;
  const code = Number(/"error"\s*:\s*\{[^{}]*?"code"\s*:\s*(\d{3})/.exec(body)?.[1]);
  return Number.isInteger(code) ? code : 200;
}

function headersIn(value: unknown): Exchange["responseHeaders"] {
  if (!isJson(value)) return null;
  return Object.fromEntries(Object.entries(value).map(([name, held]) => [name, listOf(held).join(", ")]));
}

/** Undefined for a digest in another format. */
function digestIn(value: unknown): AnswerDigest | null {
  if (!isJson(value)) return null;
  const { objects, signatures, calls, text, thoughts, usage } = value;
  const whole =
    typeof objects === "number" &&
    typeof signatures === "number" &&
    Array.isArray(calls) &&
    [text, thoughts].every((held) => typeof held === "string" || (isJson(held) && typeof held["sha256"] === "string"));
  return whole ? ({ ...value, usage: usage ?? null } as unknown as AnswerDigest) : null;
}
