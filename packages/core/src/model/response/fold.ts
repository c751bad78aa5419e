import { AgentError } from "../../errors/agent-error.ts";
import {
  ApiNetworkError,
  ApiTimeoutError,
  ResponseBlockedError,
  StreamIncompleteError,
} from "../../errors/api-errors.ts";
import { asList, isObject } from "../../internal/json.ts";
import type { Logger } from "../../logging/logger.ts";
import { type AnswerStream, parseAnswers } from "../../wire/http/read-answers.ts";
import { readEvents } from "../../wire/http/sse.ts";
import type { Content, Part } from "../../wire/types/content.ts";
import type { Candidate, GenerateContentResponse, UsageMetadata } from "../../wire/types/generate-content.ts";
import type { ModelResponse } from "../model.ts";
import { foldUsage, readUsage } from "../usage.ts";
import { PartCollector } from "./parts.ts";

/** Sends the requests of one answer and receives its parts. */
export interface AnswerSource {
  /** Sends the request; with a token, the answer resumes from that checkpoint. */
  open(continuationToken: string | undefined): Promise<AnswerStream>;
  /** Receives the parts of each batch; a promise is awaited before the next one is read. */
  readonly onParts?: ((parts: readonly Part[]) => void | Promise<void>) | undefined;
  /** Set once parts were received. */
  hasParts?: boolean;
  /** One for each request whose answer began. */
  folds?: ResponseFold[];
  /** Every part received so far is void: the valid parts come again, then the rest of the answer. */
  onRewind(reason: string): void;
  readonly logger?: Logger | undefined;
  /** The caller's limit on the whole answer. */
  readonly maxOutputTokens?: number | undefined;
}

/** Folds the chunks of one request's answer into one response; only the first candidate counts. See {@link foldFields} and {@link foldUsage}. */
export class ResponseFold {
  readonly collector: PartCollector;
  readonly #candidate: Record<string, unknown> = {};
  readonly #envelope: Record<string, unknown> = {};
  readonly #content: Record<string, unknown> = {};
  #usage: UsageMetadata | undefined;
  /** As received. */
  readonly chunks: GenerateContentResponse[] = [];
  /** Continuation token of the last chunk that had one. */
  token: string | undefined;
  /** How many of {@link ResponseFold.chunks} the token covers. */
  checkpoint = 0;
  #isFinished = false;

  /** @param collector - Holds the parts of earlier requests when this one continues their answer. */
  constructor(collector: PartCollector = new PartCollector()) {
    this.collector = collector;
  }

  /** Sends a request and reads its answer to the end. @returns The error that broke the stream, if a request with the last token can resume the answer. */
  async read(source: AnswerSource, token?: string): Promise<AgentError | undefined> {
    let stream: AnswerStream | undefined;
    try {
      stream = await source.open(token);
      (source.folds ??= []).push(this);
      for (let batch = await stream.next(); batch !== undefined; batch = await stream.next()) {
        const parts = this.addAll(batch);
        if (parts.length === 0) continue;
        source.hasParts = true;
        const reading = source.onParts?.(parts);
        if (reading !== undefined) await reading;
      }
      if (!this.#isFinished) throw this.#incompleteError();
      return undefined;
    } catch (error) {
      // Once the finish reason has arrived the answer is complete, however the connection ends.
      if (this.#isFinished && (error instanceof ApiNetworkError || error instanceof ApiTimeoutError)) return undefined;
      const hasToken = (this.token ?? token) !== undefined;
      if (hasToken && !this.#isFinished && error instanceof AgentError && error.retryable) return error;
      throw error;
    } finally {
      stream?.close();
    }
  }

  /** Adds the chunks of one read. @returns The parts they completed. */
  addAll(chunks: readonly GenerateContentResponse[]): readonly Part[] {
    const complete: Part[] = [];
    for (const chunk of chunks) {
      this.chunks.push(chunk);
      foldFields(this.#envelope, chunk, "candidates", "usageMetadata");
      if (chunk.usageMetadata !== undefined)
        this.#usage = this.#usage === undefined ? chunk.usageMetadata : foldUsage(this.#usage, chunk.usageMetadata);
      const candidate = firstCandidate(chunk);
      if (candidate === undefined) continue;
      const { content, finishReason, continuationToken } = candidate;
      if (continuationToken) {
        this.token = continuationToken;
        this.checkpoint = this.chunks.length;
      }
      foldFields(this.#candidate, candidate, "content");
      if (content !== undefined) foldFields(this.#content, content, "parts", "role");
      if (content?.parts !== undefined) for (const part of this.collector.add(content.parts)) complete.push(part);
      if (!finishReason) {
        // After a call that the service answers itself, the answer continues, with another finish reason at its end.
        if (this.#isFinished && content?.parts?.some(hasData) === true) this.#isFinished = false;
        continue;
      }
      this.#isFinished = true;
      if (classifyFinish(finishReason) !== "continuation") complete.push(...this.collector.close());
    }
    return complete;
  }

  #incompleteError(): ResponseBlockedError | StreamIncompleteError {
    const { promptFeedback } = this.#envelope as GenerateContentResponse;
    if (promptFeedback?.blockReason === undefined)
      return new StreamIncompleteError("The answer ended without a finish reason, so it may be cut off.");
    const { blockReason, blockReasonMessage, safetyRatings = [] } = promptFeedback;
    const detail = blockReasonMessage === undefined ? "" : ` ${blockReasonMessage}`;
    return new ResponseBlockedError(
      `The prompt was blocked (${blockReason}).${detail}`,
      blockReason,
      safetyRatings,
      this.#usage?.promptTokenCount,
    );
  }

  /** The answer so far. Until it is finished, the finish reason is empty and the usage a lower bound. */
  partial(): ModelResponse {
    const candidate = { ...this.#candidate } as Omit<Candidate, "content">;
    const envelope: object = { ...this.#envelope, ...(this.#usage && { usageMetadata: this.#usage }) };
    const content: Content = { ...this.#content, role: "model", parts: this.collector.parts() };
    const queries = asList(candidate.groundingMetadata?.webSearchQueries);
    const usage = readUsage(this.#usage, new Set(queries).size);
    return {
      content,
      finishReason: (this.#isFinished && candidate.finishReason) || "",
      ...(candidate.finishMessage !== undefined && { finishMessage: candidate.finishMessage }),
      usage: this.#isFinished ? usage : { ...usage, incomplete: true },
      candidate,
      envelope,
    };
  }
}

/** The parts of the candidate that counts. */
export function listParts(chunk: GenerateContentResponse): readonly Part[] {
  return firstCandidate(chunk)?.content?.parts ?? [];
}

function firstCandidate({ candidates }: GenerateContentResponse): Candidate | undefined {
  for (const candidate of candidates ?? [])
    if (candidate.index === undefined || candidate.index === 0) return candidate;
  return undefined;
}

/** False only for an empty text, which may carry a signature. */
function hasData(part: Part): boolean {
  return part.text !== "" || Object.keys(part).some((name) => !["text", "thought", "thoughtSignature"].includes(name));
}

/** Lists that each chunk has whole: ratings are recomputed, and supports point into the lists beside them. */
const REPLACED = /^(?:safetyRatings|groundingChunks|groundingSupports|renderedParts)$/;

/** Lists with an entry for each token of their chunk; two tokens may have equal entries. */
const PER_TOKEN: ReadonlySet<string> = new Set(["chosenCandidates", "topCandidates"]);

/**
 * Adds the fields of a chunk to those of earlier chunks, known or not. The latest value wins, except that an empty one never replaces a
 * full one. Objects are merged member by member. Lists add up, without the entries that a chunk repeats, except for {@link REPLACED} and
 * {@link PER_TOKEN}.
 */
function foldFields(record: Record<string, unknown>, from: object, except: string, alsoExcept: string = except): void {
  // No lists of names or entries: an answer may have thousands of chunks.
  for (const name in from) {
    if (name === except || name === alsoExcept || name === "__proto__") continue;
    // Parsed from JSON, so any value is possible.
    const value = (from as Readonly<Record<string, unknown>>)[name];
    if (!Object.hasOwn(record, name)) {
      if (value !== undefined) record[name] = value;
    } else record[name] = foldValue(name, record[name], value);
  }
}

/** Two objects as one, as chunks are folded. */
export function mergeFields<Fields extends object>(before: Fields, after: Fields): Fields {
  const merged = { ...before };
  // Both have the same type, so the values fit it.
  foldFields(merged as Record<string, unknown>, after, "__proto__");
  return merged;
}

function foldValue(name: string, before: unknown, after: unknown): unknown {
  if (typeof after === "number") return after;
  if (isEmpty(after)) return before;
  if (Array.isArray(after)) return Array.isArray(before) ? foldList(name, before, after) : after;
  return isObject(after) && isObject(before) ? mergeFields(before, after) : after;
}

function foldList(name: string, before: readonly unknown[], after: readonly unknown[]): readonly unknown[] {
  if (REPLACED.test(name)) return after;
  if (PER_TOKEN.has(name)) return [...before, ...after];
  // By their JSON, so that the time stays linear in the length of the lists.
  const known = new Map<string, number>();
  for (const text of before.map((entry) => JSON.stringify(entry))) known.set(text, (known.get(text) ?? 0) + 1);
  const added = after.filter((entry) => {
    const text = JSON.stringify(entry);
    const left = known.get(text) ?? 0;
    if (left > 0) known.set(text, left - 1);
    return left === 0;
  });
  return added.length === 0 ? before : [...before, ...added];
}

/** True for no value, an empty string, and an object or list of only these. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true;
  if (typeof value !== "object") return false;
  for (const name in value) {
    const member = (value as Readonly<Record<string, unknown>>)[name];
    if (typeof member === "number" || !isEmpty(member)) return false;
  }
  return true;
}

/** The contents of an answer's body. */
export interface BodyReading {
  /** The answer so far; its finish reason is empty when it was cut off. */
  readonly response: ModelResponse;
  /** The error that the service sent instead of the answer, or in the middle of it, as received. */
  readonly error?: Readonly<Record<string, unknown>> | undefined;
}

/** Reads the answer in a whole body, even one that was cut off: an event stream, JSON, or a list. @throws {ApiShapeError} For any other body. */
export function readResponseBody(body: string): BodyReading {
  const fold = new ResponseFold();
  let error: BodyReading["error"];
  for (const event of readEvents(body))
    for (const answer of parseAnswers(event)) {
      if (answer.error !== undefined) error = answer.error;
      else fold.addAll([answer.response]);
    }
  return { response: fold.partial(), ...(error !== undefined && { error }) };
}

/** What a finish reason means for the loop. */
export type FinishClass =
  /** The model was done, or calls functions. */
  | "complete"
  /** A gateway's reason for a turn with calls; without a call in the content, the answer is unusable. */
  | "calls"
  /** Cut off by a token limit. */
  | "truncated"
  /** Refused by a policy. */
  | "blocked"
  /** The model wrote a call or an answer that the service could not parse. */
  | "bad-call"
  /** The model called something that was not declared. */
  | "undeclared-call"
  /** The service stopped for a reason unrelated to the prompt; a retry may help. */
  | "interrupted"
  /** The same request continues with a token. The model layer joins such answers, so callers see it only when that failed. */
  | "continuation"
  /** Added by a newer service. */
  | "unknown";

/** The service's words for each class, separated by spaces. */
const WORDS: { readonly [Class in FinishClass]?: string } = {
  complete: "STOP",
  truncated: "MAX_TOKENS",
  blocked:
    "SAFETY RECITATION LANGUAGE BLOCKLIST PROHIBITED_CONTENT SPII MODEL_ARMOR " +
    "IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT IMAGE_RECITATION",
  "bad-call": "MALFORMED_FUNCTION_CALL MALFORMED_RESPONSE",
  "undeclared-call": "UNEXPECTED_TOOL_CALL",
  interrupted: "OTHER IMAGE_OTHER NO_IMAGE TOO_MANY_TOOL_CALLS",
  continuation: "CONTINUATION",
};

/**
 * The words that gateways send in place of the service's, in any letter case. Most come from upstream APIs: OpenAI's, Anthropic's (`end_turn`,
 * `tool_use`) and Cohere's (`TOOL_CALL`). Where the service sends `STOP` for a turn with calls, these have a word of their own.
 * @see https://github.com/CopilotKit/aimock/blob/main/src/gemini.ts
 * @see https://github.com/theopenco/llmgateway/pull/2218
 * @see https://github.com/ferro-labs/ai-gateway/issues/142
 */
const GATEWAY_WORDS: typeof WORDS = {
  complete: "STOP END_TURN",
  truncated: "LENGTH MAX_TOKENS",
  blocked: "CONTENT_FILTER",
  calls: "FUNCTION_CALL TOOL_CALLS TOOL_CALL TOOL_USE",
};

/** Classifies a finish reason; an unfamiliar one is "unknown". @see https://ai.google.dev/api/generate-content#FinishReason */
export function classifyFinish(reason: string): FinishClass {
  const tables = [
    [WORDS, reason],
    [GATEWAY_WORDS, reason.toUpperCase()],
  ] as const;
  for (const [words, word] of tables)
    for (const [name, list] of Object.entries(words))
      // The keys are classes.
      if (list.split(" ").includes(word)) return name as FinishClass;
  return "unknown";
}
