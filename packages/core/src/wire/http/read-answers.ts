import { ApiShapeError } from "../../errors/api-errors.ts";
import { isObject, isTooDeep, MAX_LEVELS } from "../../internal/json.ts";
import { wordsIn } from "../../internal/text.ts";
import { embeddedError } from "../errors/http-errors.ts";
import type { AnswerLimits } from "../client-options.ts";
import type { Exchange } from "./exchange.ts";
import type { GenerateContentResponse } from "../types/generate-content.ts";
import type { GeminiFile } from "../types/resources.ts";
import { SseDecoder } from "./sse.ts";

/** The chunks of one read from the network. */
export type AnswerBatch = readonly GenerateContentResponse[];

/** An answer while it is read. */
export interface AnswerStream {
  /** The chunks of the next read that completes any; undefined at the end of the body. One read at a time. */
  next(): Promise<AnswerBatch | undefined>;
  /** Ends the request and releases its connection. May be called more than once. */
  close(): void;
}

/** Body of a stream → chunks, from event streams and bare JSON. Returns the chunks before an error, then throws it. */
export class StreamedAnswer implements AnswerStream {
  readonly #exchange: Exchange;
  readonly #decoder: SseDecoder;
  readonly #limits: AnswerLimits;
  #first: AnswerBatch | undefined;
  #chunks = 0;
  #hasEvents = false;
  #failure: { readonly error: unknown } | undefined;
  #isOver = false;

  constructor(exchange: Exchange, limits: AnswerLimits) {
    this.#exchange = exchange;
    this.#limits = limits;
    this.#decoder = new SseDecoder({ maxBufferBytes: limits.maxBufferBytes });
  }

  /** Sends the request and reads the first batch, which {@link StreamedAnswer.next} then returns. Throws as both do. */
  async open(): Promise<this> {
    await this.#exchange.open();
    this.#first = await this.next();
    return this;
  }

  /** @throws {ApiStatusError} For an error among the chunks. @throws {ApiShapeError} For a chunk of another shape, a web page, and a limit. */
  async next(): Promise<AnswerBatch | undefined> {
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined || this.#isOver) return first;
    try {
      for (;;) {
        const failure = this.#failure;
        if (failure !== undefined) throw failure.error;
        const bytes = await this.#exchange.read();
        const { maxAnswerBytes } = this.#limits;
        if (this.#exchange.bytes > maxAnswerBytes) throw limitError("bytes", maxAnswerBytes, "maxAnswerBytes");
        const texts = bytes === undefined ? this.#decoder.end() : this.#decoder.push(bytes);
        const batch = texts.length > 0 ? this.#parse(texts) : NONE;
        if (bytes === undefined) this.#end();
        if (batch.length > 0) return batch;
        if (this.#isOver) return undefined;
      }
    } catch (error) {
      const cleaned = this.#exchange.clean(error);
      this.close();
      throw cleaned;
    }
  }

  close(): void {
    this.#isOver = true;
    this.#exchange.close();
  }

  /** Chunks up to the first error, which the next read throws. */
  #parse(texts: readonly string[]): AnswerBatch {
    this.#hasEvents = true;
    const batch: GenerateContentResponse[] = [];
    try {
      for (const text of texts) {
        if (this.#exchange.isTraced) this.#exchange.trace(text);
        const value = parseJson(text);
        for (const { response, error } of Array.isArray(value) ? checkAnswers(value) : [checkAnswer(value)]) {
          if (response === undefined) throw embeddedError(error, this.#exchange.failure);
          const { maxAnswerChunks } = this.#limits;
          this.#chunks += 1;
          if (this.#chunks > maxAnswerChunks) throw limitError("chunks", maxAnswerChunks, "maxAnswerChunks");
          if (text.length > MAX_SHALLOW) checkDepth(response, text);
          batch.push(response);
        }
      }
    } catch (error) {
      this.#failure = { error };
    }
    return batch;
  }

  #end(): void {
    const leftover = this.#hasEvents ? "" : this.#decoder.leftover;
    if (leftover.startsWith("<")) {
      const message = "The response is a web page, not a stream; check that the base URL is a Gemini API.";
      this.#failure = { error: new ApiShapeError(message, "$", leftover) };
    }
    // Otherwise the next read throws the failure.
    if (this.#failure === undefined) this.close();
  }
}

const NONE: AnswerBatch = [];

function limitError(unit: string, limit: number, option: string): ApiShapeError {
  return new ApiShapeError(
    `The answer has more than ${limit} ${unit}, which is the limit; raise ${option} if answers can be that long.`,
    "$",
    "",
  );
}

/** A body or a data event: an answer, or an error object in any of the known shapes. */
export type ParsedAnswer =
  | { readonly response: GenerateContentResponse; readonly error?: undefined }
  | { readonly response?: undefined; readonly error: Readonly<Record<string, unknown>> };

/** JSON text → value. @throws {ApiShapeError} With path `$` when it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Without the parser's message, which quotes the text and perhaps a key; the exchange removes keys from the excerpt.
    throw new ApiShapeError(
      `The response is ${text === "" ? "empty" : "not JSON"}; check that the base URL is a Gemini API.`,
      "$",
      text,
    );
  }
}

/** JSON text → checked answers: several for an array, which is a stream without SSE framing. @throws {ApiShapeError} Naming the path. */
export function parseAnswers(text: string): readonly ParsedAnswer[] {
  const value = parseJson(text);
  const answers = Array.isArray(value) ? checkAnswers(value) : [checkAnswer(value)];
  if (text.length > MAX_SHALLOW)
    for (const { response } of answers) if (response !== undefined) checkDepth(response, text);
  return answers;
}

/** Most characters of a text that cannot nest too deep: each level takes two. Most chunks are shorter. */
const MAX_SHALLOW = 2 * MAX_LEVELS;

/** @throws {ApiShapeError} When the answer nests so deep that no code can be trusted to walk it. */
function checkDepth(answer: GenerateContentResponse, text: string): void {
  if (!isTooDeep(answer)) return;
  throw new ApiShapeError(
    `The answer nests more than ${MAX_LEVELS} levels of lists and objects, so it was not read; ask again.`,
    "$",
    text,
  );
}

function checkAnswers(list: readonly unknown[]): readonly ParsedAnswer[] {
  return list.map((item, i) => checkAnswer(item, `$[${i}]`));
}

/**
 * Checks only the structure that readers of an answer rely on: unknown fields and absent ones are fine. Changes the value in place: turns
 * numeric enums into words, and numbers written as text (`"99"`) into numbers. A `null` member of a candidate, content or part counts as
 * absent and is removed, as are `null` members of a part's message, of usage and of prompt feedback: the service rejects a part without data.
 * Inside arguments, results and unknown fields, `null` is a value and stays.
 * @throws {ApiShapeError} Naming the path that does not have the documented shape.
 */
export function checkAnswer(value: unknown, path = "$"): ParsedAnswer {
  if (!isObject(value)) throw shapeError(value, path, "an object");
  if ((value["error"] !== undefined || value["message"] !== undefined) && isErrorObject(value)) return { error: value };
  // An answer may have thousands of chunks: no lists of field names, and a path is built only for an error.
  if (value["candidates"] === null) delete value["candidates"];
  if (value["promptFeedback"] === null) delete value["promptFeedback"];
  if (value["usageMetadata"] === null) delete value["usageMetadata"];
  const { candidates, promptFeedback, usageMetadata } = value;
  if (candidates !== undefined) checkCandidates(candidates, path);
  if (usageMetadata !== undefined) {
    if (!isObject(usageMetadata)) throw shapeError(usageMetadata, `${path}.usageMetadata`, "an object");
    for (const name in usageMetadata)
      if (!Number.isSafeInteger(usageMetadata[name])) checkCounter(usageMetadata, name, `${path}.usageMetadata`);
  }
  if (promptFeedback !== undefined) {
    if (!isObject(promptFeedback)) throw shapeError(promptFeedback, `${path}.promptFeedback`, "an object");
    for (const name in promptFeedback) if (promptFeedback[name] === null) delete promptFeedback[name];
    if (!nameEnum(promptFeedback, "blockReason", BLOCK_REASONS))
      throw shapeError(promptFeedback["blockReason"], `${path}.promptFeedback.blockReason`, "a word");
  }
  return { response: value };
}

/** True for a file of the Files API with the members that the library relies on. @see https://ai.google.dev/api/files#File */
export function isFile(value: unknown): value is GeminiFile {
  return isObject(value) && typeof value["name"] === "string" && typeof value["uri"] === "string";
}

/** True for Google's `{error}`, a gateway's `{error: {…} | "…"}`, and a bare `{code | status | type, message}`. */
export function isErrorObject(value: Readonly<Record<string, unknown>>): boolean {
  const { error } = value;
  if (isObject(error) || (typeof error === "string" && error !== "")) return true;
  if (typeof value["message"] !== "string" || value["candidates"] !== undefined) return false;
  return value["code"] !== undefined || value["status"] !== undefined || value["type"] !== undefined;
}

// Only the numbers on which all versions of the service agree.
const FINISH_REASONS = ["FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER"];
const BLOCK_REASONS = ["BLOCKED_REASON_UNSPECIFIED", "SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT"];

function checkCandidates(candidates: unknown, path: string): void {
  if (!Array.isArray(candidates)) throw shapeError(candidates, `${path}.candidates`, "a list");
  for (let i = 0; i < candidates.length; i++) {
    const candidate: unknown = candidates[i];
    if (!isObject(candidate)) throw shapeError(candidate, `${path}.candidates[${i}]`, "an object");
    for (const name in candidate) if (candidate[name] === null) delete candidate[name];
    if (candidate["index"] !== undefined && !Number.isSafeInteger(candidate["index"]))
      readNumber(candidate, "index", `${path}.candidates[${i}]`);
    if (candidate["finishReason"] !== undefined && !nameEnum(candidate, "finishReason", FINISH_REASONS))
      throw shapeError(candidate["finishReason"], `${path}.candidates[${i}].finishReason`, "a word");
    const { content } = candidate;
    if (content === undefined) continue;
    if (!isObject(content)) throw shapeError(content, `${path}.candidates[${i}].content`, "an object");
    for (const name in content) if (content[name] === null) delete content[name];
    if (content["parts"] !== undefined) checkParts(content["parts"], path, i);
  }
}

/** @param at - Index of the candidate. */
function checkParts(parts: unknown, path: string, at: number): void {
  if (!Array.isArray(parts)) throw shapeError(parts, `${path}.candidates[${at}].content.parts`, "a list");
  for (let i = 0; i < parts.length; i++) {
    const part: unknown = parts[i];
    if (typeof part !== "object" || part === null || Array.isArray(part))
      throw shapeError(part, partPath(path, at, i), "an object");
    // An object, as checked above.
    const members = part as Record<string, unknown>;
    let isNothing = false;
    // A text needs no further look.
    for (const name in members) {
      if (typeof members[name] !== "object") continue;
      isNothing = !dropNullsInPart(members);
      break;
    }
    if (isNothing) {
      parts.splice(i--, 1);
      continue;
    }
    const { text, functionCall } = members;
    if (text !== undefined && typeof text !== "string")
      throw shapeError(text, `${partPath(path, at, i)}.text`, "a string");
    if (functionCall === undefined) continue;
    if (!isObject(functionCall)) throw shapeError(functionCall, `${partPath(path, at, i)}.functionCall`, "an object");
    const { name, args, partialArgs } = functionCall;
    if (name !== undefined && typeof name !== "string")
      throw shapeError(name, `${partPath(path, at, i)}.functionCall.name`, "a string");
    if (args !== undefined && !isObject(args))
      throw shapeError(args, `${partPath(path, at, i)}.functionCall.args`, "an object");
    if (partialArgs !== undefined && !(Array.isArray(partialArgs) && partialArgs.every(isObject)))
      throw shapeError(partialArgs, `${partPath(path, at, i)}.functionCall.partialArgs`, "a list of objects");
  }
}

/** Members of a part whose own members the API defines. */
const MESSAGES = wordsIn(
  "inlineData fileData functionCall functionResponse executableCode codeExecutionResult toolCall toolResponse",
  "videoMetadata mediaResolution",
);

/** @returns False when nothing is left. */
function dropNullsInPart(part: Record<string, unknown>): boolean {
  let hasNull = false;
  for (const name in part) {
    const member = part[name];
    if (member === null) {
      hasNull = true;
      delete part[name];
    } else if (MESSAGES.has(name) && typeof member === "object") {
      // The type guard above leaves a message, or a list where none should be.
      const message = member as Record<string, unknown>;
      for (const field in message) if (message[field] === null) delete message[field];
    }
  }
  if (!hasNull) return true;
  const names = Object.keys(part);
  // A signature needs a part with data; an empty text is one.
  if (names.length > 0 && names.every((name) => name === "thought" || name === "thoughtSignature")) part["text"] = "";
  return names.length > 0;
}

/** Checks a member of a usage record that is not a whole number; members that are not counters may be anything. */
function checkCounter(usage: Record<string, unknown>, name: string, path: string): void {
  const value = usage[name];
  if (value === null) delete usage[name];
  else if (name.endsWith("TokenCount")) readNumber(usage, name, path);
  else if (name.endsWith("TokensDetails") && Array.isArray(value))
    for (const [i, entry] of value.entries()) {
      if (!isObject(entry) || entry["tokenCount"] === undefined) continue;
      if (entry["tokenCount"] === null) delete entry["tokenCount"];
      else readNumber(entry, "tokenCount", `${path}.${name}[${i}]`);
    }
}

/** Replaces decimal digits with their number. @throws {ApiShapeError} For anything but an exact whole number. */
function readNumber(value: Record<string, unknown>, field: string, path: string): void {
  const given = value[field];
  const number = typeof given === "string" && /^(?:0|[1-9]\d*)$/.test(given) ? Number(given) : given;
  if (!Number.isSafeInteger(number)) throw shapeError(given, `${path}.${field}`, "a whole number");
  value[field] = number;
}

function partPath(path: string, candidate: number, part: number): string {
  return `${path}.candidates[${candidate}].content.parts[${part}]`;
}

/** Replaces a number with its word. @returns False for anything but a word or a number. */
function nameEnum(
  value: Record<string, unknown>,
  field: "blockReason" | "finishReason",
  words: readonly string[],
): boolean {
  const word = value[field];
  if (word === undefined || typeof word === "string") return true;
  if (typeof word !== "number") return false;
  value[field] = words[word] ?? String(word);
  return true;
}

function shapeError(value: unknown, path: string, wanted: string): ApiShapeError {
  return new ApiShapeError(
    `The response does not match the API's documentation: ${path} is not ${wanted}.`,
    path,
    isTooDeep(value) ? "a value that nests too deep" : (JSON.stringify(value) ?? "nothing"),
  );
}
