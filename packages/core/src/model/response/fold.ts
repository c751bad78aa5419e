import { AgentError } from "../../errors/agent-error.ts";
import {
  ApiNetworkError,
  ApiTimeoutError,
  ResponseBlockedError,
  StreamIncompleteError,
} from "../../errors/api-errors.ts";
import type { Logger } from "../../logging/logger.ts";
import type { AnswerStream } from "../../wire/http/read-answers.ts";
import type { Content, Part } from "../../wire/types/content.ts";
import type { Candidate, GenerateContentResponse, GroundingMetadata } from "../../wire/types/generate-content.ts";
import { classifyFinish } from "../finish-reason.ts";
import type { ModelResponse } from "../model.ts";
import { readUsage } from "../usage.ts";
import { PartCollector } from "./parts.ts";

/** Sends the requests of one answer and receives its parts. */
export interface AnswerSource {
  /** Sends the request; with a token, the answer resumes from that checkpoint. */
  open(continuationToken: string | undefined): Promise<AnswerStream>;
  /** Receives the parts of each batch; a promise is awaited before the next one is read. */
  readonly onParts?: ((parts: readonly Part[]) => void | Promise<void>) | undefined;
  /** Set once parts were received. */
  hasParts?: boolean;
  /** Every part received so far is void: what is still valid follows again, then the rest of the answer. */
  onRewind(reason: string): void;
  readonly logger?: Logger | undefined;
}

/**
 * Folds the chunks of one request's answer into one response. A unary answer is a single chunk.
 *
 * Only the first candidate counts. Parts are collected; of every other field, known or not, the latest non-empty value wins.
 * Usage is the whole object of the last chunk that has one, because some streams restart their counts midway.
 */
export class ResponseFold {
  readonly collector: PartCollector;
  readonly #candidate: Record<string, unknown> = {};
  readonly #envelope: Record<string, unknown> = {};
  readonly #content: Record<string, unknown> = {};
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

  /**
   * Sends a request and reads its answer to the end.
   *
   * @param token - Where the answer resumes.
   * @returns The error that broke the stream, if a request with the last token can resume the answer.
   * @throws Any other error.
   */
  async read(source: AnswerSource, token?: string): Promise<AgentError | undefined> {
    let stream: AnswerStream | undefined;
    try {
      stream = await source.open(token);
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
      keepFields(this.#envelope, chunk, "candidates");
      const candidate = firstCandidate(chunk);
      if (candidate === undefined) continue;
      const { content, finishReason, continuationToken } = candidate;
      if (continuationToken) {
        this.token = continuationToken;
        this.checkpoint = this.chunks.length;
      }
      keepFields(this.#candidate, candidate, "content");
      if (content !== undefined) keepFields(this.#content, content, "parts", "role");
      if (content?.parts !== undefined) for (const part of this.collector.add(content.parts)) complete.push(part);
      if (finishReason === undefined) continue;
      this.#isFinished = true;
      if (classifyFinish(finishReason) !== "continuation") complete.push(...this.collector.close());
    }
    return complete;
  }

  /**
   * The whole answer.
   *
   * @throws {ResponseBlockedError} When the prompt was refused.
   * @throws {StreamIncompleteError} When no chunk had a finish reason.
   */
  response(): ModelResponse {
    if (!this.#isFinished) throw this.#incompleteError();
    return this.partial();
  }

  #incompleteError(): ResponseBlockedError | StreamIncompleteError {
    const { promptFeedback, usageMetadata } = this.#envelope as GenerateContentResponse;
    if (promptFeedback?.blockReason === undefined)
      return new StreamIncompleteError("The answer ended without a finish reason, so it may be cut off.");
    const { blockReason, blockReasonMessage, safetyRatings = [] } = promptFeedback;
    const detail = blockReasonMessage === undefined ? "" : ` ${blockReasonMessage}`;
    return new ResponseBlockedError(
      `The prompt was blocked (${blockReason}).${detail}`,
      blockReason,
      safetyRatings,
      usageMetadata?.promptTokenCount,
    );
  }

  /** The answer so far. Until it is finished, the finish reason is empty and the usage a lower bound. */
  partial(): ModelResponse {
    const candidate = { ...this.#candidate } as Omit<Candidate, "content">;
    const envelope = { ...this.#envelope } as Omit<GenerateContentResponse, "candidates">;
    const content: Content = { ...this.#content, role: "model", parts: this.collector.parts() };
    const usage = readUsage(envelope.usageMetadata, countSearchQueries(candidate.groundingMetadata));
    return {
      content,
      finishReason: candidate.finishReason ?? "",
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
  if (candidates !== undefined)
    for (const candidate of candidates) if (candidate.index === undefined || candidate.index === 0) return candidate;
  return undefined;
}

/** Early chunks may hold empty values for fields that other chunks fill, in no guaranteed order: empty never replaces full. */
function keepFields(record: Record<string, unknown>, from: object, except: string, alsoExcept = except): void {
  // No lists of names or entries: an answer may have thousands of chunks.
  for (const name in from) {
    if (name === except || name === alsoExcept || name === "__proto__") continue;
    // Parsed from JSON, so any value is possible.
    const value = (from as Readonly<Record<string, unknown>>)[name];
    if (typeof value === "number" || !isEmpty(value)) record[name] = value;
    else if (value !== undefined && !Object.hasOwn(record, name)) record[name] = value;
  }
}

/** True for no value, an empty string, and an object or list of such. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true;
  if (typeof value !== "object") return false;
  for (const name in value) {
    const member = (value as Readonly<Record<string, unknown>>)[name];
    if (typeof member === "number" || !isEmpty(member)) return false;
  }
  return true;
}

function countSearchQueries(grounding: GroundingMetadata | undefined): number {
  const queries = grounding?.webSearchQueries;
  return Array.isArray(queries) ? new Set(queries).size : 0;
}
