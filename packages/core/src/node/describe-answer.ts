import { createHash } from "node:crypto";
import { isObject } from "../internal/json.ts";
import type { AnswerDigest, DigestText, JsonFields } from "./recording-format.ts";

/** What a body is, found out by looking at it. */
export interface AnswerFacts {
  readonly framing: string;
  readonly modelVersion: string | null;
  /** Null for a body that is not whole. */
  readonly digest: AnswerDigest | null;
  /** Parts of candidate 0. */
  readonly parts: readonly JsonFields[];
}

/** Text of a longer one is told by its hash. */
const MAX_TEXT = 400;

/** Framing, digest and parts of a recorded body. */
export function describeAnswer(body: string, contentType: string): AnswerFacts {
  const { framing, objects } = unframe(body, contentType);
  if (objects === undefined) return { framing, modelVersion: null, digest: null, parts: [] };
  const candidates = objects.map(firstCandidate);
  const parts = candidates.flatMap((candidate) => listOf(fieldsOf(candidate?.["content"])?.["parts"]));
  const versions = objects.map((object) => object["modelVersion"]).filter((version) => typeof version === "string");
  const usage = objects.map((object) => fieldsOf(object["usageMetadata"])).findLast((one) => one !== undefined);
  const digest: AnswerDigest = {
    objects: objects.length,
    parts: parts.length,
    text: digestText(textOf(parts, false)),
    thoughts: digestText(textOf(parts, true)),
    calls: callsOf(parts),
    signatures: parts.filter((part) => part["thoughtSignature"] !== undefined).length,
    finishReasons: candidates
      .map((candidate) => candidate?.["finishReason"])
      .filter((reason) => typeof reason === "string" || typeof reason === "number"),
    usage: usage ?? null,
  };
  return { framing, modelVersion: versions.at(-1) ?? null, digest, parts };
}

/** The JSON objects of a body; undefined where it is no whole JSON. */
function unframe(
  body: string,
  contentType: string,
): { readonly framing: string; readonly objects: readonly JsonFields[] | undefined } {
  const isEventStream = contentType.includes("event-stream");
  if (/^\s*data:/.test(body) || (isEventStream && !/^\s*[[{]/.test(body))) {
    const lines = body.split(/\r\n|\n|\r/).filter((line) => line !== "");
    const blocks = body.split(/(?:\r\n|\n|\r){2,}/).filter((block) => block.trim() !== "");
    const data = lines.filter((line) => line.startsWith("data:"));
    return {
      framing: data.length > blocks.length ? "sse-without-blank-lines" : "sse",
      objects: parseAll(data.map((line) => line.slice("data:".length))),
    };
  }
  const objects = parseAll([body]);
  if (objects === undefined) return { framing: "other", objects };
  if (body.trimStart().startsWith("[")) return { framing: "json-array", objects };
  return { framing: isEventStream ? "bare-json-as-event-stream" : "json", objects };
}

function parseAll(texts: readonly string[]): readonly JsonFields[] | undefined {
  try {
    const values = texts.flatMap((text): unknown => JSON.parse(text));
    return values.every(isObject) ? values : undefined;
  } catch {
    return undefined;
  }
}

function firstCandidate(object: JsonFields): JsonFields | undefined {
  return listOf(object["candidates"]).find((candidate) => (candidate["index"] ?? 0) === 0);
}

function textOf(parts: readonly JsonFields[], thoughts: boolean): string {
  return parts
    .filter((part) => (part["thought"] === true) === thoughts)
    .map(({ ["text"]: text }) => (typeof text === "string" ? text : ""))
    .join("");
}

function digestText(text: string): DigestText {
  const chars = Array.from(text).length;
  if (chars <= MAX_TEXT) return text;
  return { chars, utf8: Buffer.byteLength(text), sha256: createHash("sha256").update(text).digest("hex") };
}

/** The function calls of some parts, in order. */
export function callsOf(parts: readonly JsonFields[]): readonly JsonFields[] {
  return parts.map((part) => part["functionCall"]).filter(isObject);
}

/** The objects of a list, or of a single thing in place of one. */
export function listOf(value: unknown): readonly JsonFields[] {
  return (Array.isArray(value) ? value : [value]).filter(isObject);
}

/** The value if it is a JSON object. */
export function fieldsOf(value: unknown): JsonFields | undefined {
  return isObject(value) ? value : undefined;
}
