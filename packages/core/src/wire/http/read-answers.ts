import { ApiShapeError } from "../../errors/api-errors.ts";
import { isObject } from "../../internal/json.ts";
import { embeddedError } from "../errors/status-error.ts";
import type { Exchange } from "./exchange.ts";
import type { GenerateContentResponse } from "../types/generate-content.ts";
import { SseDecoder } from "./sse.ts";

/** The chunks of one read from the network. */
export type AnswerBatch = readonly GenerateContentResponse[];

/** An answer that is being read. */
export interface AnswerStream {
  /** The chunks of the next read that completed any; undefined at the end of the body. One read at a time. */
  next(): Promise<AnswerBatch | undefined>;
  /** Ends the request and gives its connection back. May be called more than once. */
  close(): void;
}

/**
 * Body of a stream → chunks. Takes event streams and bare JSON, whatever the content type says. What came before an error is
 * handed out before the error is thrown.
 */
export class StreamedAnswer implements AnswerStream {
  readonly #exchange: Exchange;
  readonly #decoder: SseDecoder;
  #first: AnswerBatch | undefined;
  #hasEvents = false;
  #failure: { readonly error: unknown } | undefined;
  #isOver = false;

  constructor(exchange: Exchange, maxBufferBytes: number) {
    this.#exchange = exchange;
    this.#decoder = new SseDecoder({ maxBufferBytes });
  }

  /** Sends the request and reads the first batch, which {@link StreamedAnswer.next} then gives. Throws what that and opening throw. */
  async open(): Promise<this> {
    await this.#exchange.open();
    this.#first = await this.next();
    return this;
  }

  /**
   * @throws {ApiStatusError} For an error object among the chunks.
   * @throws {ApiShapeError} For a chunk that is not as documented, and for a web page.
   */
  async next(): Promise<AnswerBatch | undefined> {
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined || this.#isOver) return first;
    try {
      for (;;) {
        const failure = this.#failure;
        if (failure !== undefined) throw failure.error;
        const bytes = await this.#exchange.read();
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

  /** Chunks up to the first that is an error, which is kept for the next read. */
  #parse(texts: readonly string[]): AnswerBatch {
    this.#hasEvents = true;
    const batch: GenerateContentResponse[] = [];
    try {
      for (const text of texts) {
        if (this.#exchange.isTraced) this.#exchange.trace(text);
        for (const { response, error } of parseAnswers(text)) {
          if (response === undefined) throw embeddedError(error, this.#exchange.failure);
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
      const said = "The response is a web page, not a stream; check that the base URL is a Gemini API.";
      this.#failure = { error: new ApiShapeError(said, "$", leftover) };
    }
    // What the end completed is still handed out.
    if (this.#failure === undefined) this.close();
  }
}

const NONE: AnswerBatch = [];

/** What a body or a data event turned out to be: an answer, or an error object in any of the known shapes. */
export type ParsedAnswer =
  | { readonly response: GenerateContentResponse; readonly error?: undefined }
  | { readonly response?: undefined; readonly error: Readonly<Record<string, unknown>> };

/**
 * JSON text → value.
 *
 * @throws {ApiShapeError} With path `$` when it is not JSON.
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw notJsonError(text, error);
  }
}

function notJsonError(text: string, error: unknown): ApiShapeError {
  // The parser's own message quotes the text, which may hold a key; the excerpt is cleaned by whoever knows the keys.
  return new ApiShapeError(
    `The response is ${error instanceof SyntaxError && text === "" ? "empty" : "not JSON"}; check that the base URL is a Gemini API.`,
    "$",
    text.slice(0, 200),
  );
}

/**
 * JSON text → checked answers: one for an object, several for the array a stream without SSE framing consists of.
 *
 * @throws {ApiShapeError} Naming the path that is not as documented.
 */
export function parseAnswers(text: string): readonly ParsedAnswer[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw notJsonError(text, error);
  }
  return Array.isArray(value) ? value.map((item: unknown, i) => checkAnswer(item, `$[${i}]`)) : [checkAnswer(value)];
}

/**
 * Checks the structure that readers of an answer rely on and nothing else: unknown fields stay, absent ones stay absent.
 * In place, the value being fresh from the parser, `null` envelope fields are removed and number enums become words.
 *
 * @throws {ApiShapeError} Naming the path that is not as documented.
 */
export function checkAnswer(value: unknown, path = "$"): ParsedAnswer {
  if (!isObject(value)) throw shapeError(value, path, "an object");
  if ((value["error"] !== undefined || value["message"] !== undefined) && isErrorObject(value)) return { error: value };
  // Field by field and not by lists of names, and a path only for an error: an answer may have thousands of chunks.
  if (value["candidates"] === null) delete value["candidates"];
  if (value["promptFeedback"] === null) delete value["promptFeedback"];
  if (value["usageMetadata"] === null) delete value["usageMetadata"];
  const { candidates, promptFeedback, usageMetadata } = value;
  if (candidates !== undefined) checkCandidates(candidates, path);
  if (usageMetadata !== undefined && !isObject(usageMetadata))
    throw shapeError(usageMetadata, `${path}.usageMetadata`, "an object");
  if (promptFeedback !== undefined) {
    if (!isObject(promptFeedback)) throw shapeError(promptFeedback, `${path}.promptFeedback`, "an object");
    if (!nameEnum(promptFeedback, "blockReason", BLOCK_REASONS))
      throw shapeError(promptFeedback["blockReason"], `${path}.promptFeedback.blockReason`, "a word");
  }
  return { response: value };
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
    if (candidate["content"] === null) delete candidate["content"];
    if (candidate["finishReason"] === null) delete candidate["finishReason"];
    if (candidate["groundingMetadata"] === null) delete candidate["groundingMetadata"];
    if (candidate["urlContextMetadata"] === null) delete candidate["urlContextMetadata"];
    if (candidate["finishReason"] !== undefined && !nameEnum(candidate, "finishReason", FINISH_REASONS))
      throw shapeError(candidate["finishReason"], `${path}.candidates[${i}].finishReason`, "a word");
    const { content } = candidate;
    if (content === undefined) continue;
    if (!isObject(content)) throw shapeError(content, `${path}.candidates[${i}].content`, "an object");
    if (content["parts"] === null) delete content["parts"];
    if (content["role"] === null) delete content["role"];
    if (content["parts"] !== undefined) checkParts(content["parts"], path, i);
  }
}

/** @param at - Number of the candidate. */
function checkParts(parts: unknown, path: string, at: number): void {
  if (!Array.isArray(parts)) throw shapeError(parts, `${path}.candidates[${at}].content.parts`, "a list");
  for (let i = 0; i < parts.length; i++) {
    const part: unknown = parts[i];
    if (typeof part !== "object" || part === null || Array.isArray(part))
      throw shapeError(part, partPath(path, at, i), "an object");
    const { text, functionCall } = part as Readonly<Record<string, unknown>>;
    if (text !== undefined && typeof text !== "string")
      throw shapeError(text, `${partPath(path, at, i)}.text`, "a string");
    if (functionCall === undefined) continue;
    if (!isObject(functionCall)) throw shapeError(functionCall, `${partPath(path, at, i)}.functionCall`, "an object");
    const { args } = functionCall;
    if (args !== undefined && args !== null && !isObject(args))
      throw shapeError(args, `${partPath(path, at, i)}.functionCall.args`, "an object");
  }
}

function partPath(path: string, candidate: number, part: number): string {
  return `${path}.candidates[${candidate}].content.parts[${part}]`;
}

/** Makes a word of a number. @returns False for what can be neither. */
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
  const excerpt = (JSON.stringify(value) ?? "nothing").slice(0, 200);
  return new ApiShapeError(
    `The response does not match the API's documentation: ${path} is not ${wanted}.`,
    path,
    excerpt,
  );
}
