import { ResponseBlockedError, StreamIncompleteError } from "../../errors/api-errors.ts";
import type { Content, Part } from "../../wire/types/content.ts";
import type { Candidate, GenerateContentResponse, GroundingMetadata } from "../../wire/types/generate-content.ts";
import { PartCollector } from "./parts.ts";
import { classifyFinish } from "../finish-reason.ts";
import type { ModelResponse } from "../model.ts";
import { readUsage } from "../usage.ts";

/**
 * Chunks → one response. Takes chunks one by one, so a stream and a whole answer are the same thing to it.
 *
 * Only the first candidate counts. Parts are collected; of every other field, known or not, the latest that is not empty
 * stays. Usage is the whole object of the last chunk that has one: some streams start counting again in the middle.
 */
export class ResponseFold {
  readonly #collector: PartCollector;
  readonly #candidate: Record<string, unknown> = {};
  readonly #envelope: Record<string, unknown> = {};
  readonly #content: Record<string, unknown> = {};
  /** As they came. */
  readonly chunks: GenerateContentResponse[] = [];
  /** How many of {@link ResponseFold.chunks} the last token covers. */
  checkpoint = 0;

  /** @param collector - Has the parts of earlier requests, when this one goes on with their answer. */
  constructor(collector: PartCollector = new PartCollector()) {
    this.#collector = collector;
  }

  /** Takes in the chunks of one read. @returns The parts they completed. */
  addAll(chunks: readonly GenerateContentResponse[]): readonly Part[] {
    const complete: Part[] = [];
    for (const chunk of chunks) {
      this.chunks.push(chunk);
      keepFields(this.#envelope, chunk, "candidates");
      const candidate = firstCandidate(chunk);
      if (candidate === undefined) continue;
      const { content, finishReason } = candidate;
      if (candidate.continuationToken) this.checkpoint = this.chunks.length;
      keepFields(this.#candidate, candidate, "content");
      if (content !== undefined) keepFields(this.#content, content, "parts", "role");
      if (content?.parts !== undefined) for (const part of this.#collector.add(content.parts)) complete.push(part);
      if (finishReason === undefined || classifyFinish(finishReason) === "continuation") continue;
      complete.push(...this.#collector.close());
    }
    return complete;
  }

  /** Token to go on from, of the last chunk that had one. */
  get token(): string | undefined {
    return (this.#candidate as Candidate).continuationToken;
  }

  /** True once the candidate said why it ended. */
  get finished(): boolean {
    return (this.#candidate as Candidate).finishReason !== undefined;
  }

  /**
   * The whole answer.
   *
   * @throws {ResponseBlockedError} When the prompt was refused.
   * @throws {StreamIncompleteError} When no chunk had a finish reason.
   */
  response(): ModelResponse {
    this.checkFinished();
    return this.partial();
  }

  /** Throws what {@link ResponseFold.response} throws for an answer that did not end. */
  checkFinished(): void {
    if (this.finished) return;
    const { promptFeedback, usageMetadata } = this.#envelope as GenerateContentResponse;
    if (promptFeedback?.blockReason !== undefined) {
      const { blockReason, blockReasonMessage, safetyRatings = [] } = promptFeedback;
      const said = blockReasonMessage === undefined ? "" : ` ${blockReasonMessage}`;
      throw new ResponseBlockedError(
        `The prompt was blocked (${blockReason}).${said}`,
        blockReason,
        safetyRatings,
        usageMetadata?.promptTokenCount,
      );
    }
    throw new StreamIncompleteError("The answer ended without a finish reason, so it may be cut off.");
  }

  /** Whether chunks after so many had parts. */
  partsAfter(checkpoint: number): boolean {
    return this.chunks.slice(checkpoint).some((chunk) => listParts(chunk).length > 0);
  }

  /** How many parts this request's answer would have by itself. */
  countOwnParts(): number {
    const collector = new PartCollector();
    for (const chunk of this.chunks) collector.add(listParts(chunk));
    return collector.parts().length;
  }

  /** What has come so far, whole or not; the finish reason is empty and the usage a lower bound while there is none. */
  partial(): ModelResponse {
    const candidate = { ...this.#candidate } as Omit<Candidate, "content">;
    const envelope = { ...this.#envelope } as Omit<GenerateContentResponse, "candidates">;
    const content: Content = { ...this.#content, role: "model", parts: this.#collector.parts() };
    const usage = readUsage(envelope.usageMetadata, countSearchQueries(candidate.groundingMetadata));
    return {
      content,
      finishReason: candidate.finishReason ?? "",
      ...(candidate.finishMessage !== undefined && { finishMessage: candidate.finishMessage }),
      usage: this.finished ? usage : { ...usage, incomplete: true },
      candidate,
      envelope,
    };
  }
}

/** The parts of the candidate that counts. */
export function listParts(chunk: GenerateContentResponse): readonly Part[] {
  return firstCandidate(chunk)?.content?.parts ?? [];
}

/** The candidate that counts. */
function firstCandidate({ candidates }: GenerateContentResponse): Candidate | undefined {
  if (candidates !== undefined)
    for (const candidate of candidates) if (candidate.index === undefined || candidate.index === 0) return candidate;
  return undefined;
}

/** Early chunks carry empty objects of what later ones have in full, in no promised order. */
function keepFields(record: Record<string, unknown>, from: object, ...except: readonly string[]): void {
  // Without a list of entries for each chunk, of which an answer may have thousands.
  for (const name in from) {
    if (name === "__proto__" || except.includes(name)) continue;
    // Whatever stands there was parsed from JSON.
    const value = (from as Readonly<Record<string, unknown>>)[name];
    if (typeof value === "number" || !isEmpty(value)) record[name] = value;
    else if (value !== undefined && !Object.hasOwn(record, name)) record[name] = value;
  }
}

/** Says nothing: no value, or an object or list of such. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true;
  if (typeof value !== "object") return false;
  for (const name in value) {
    const one = (value as Readonly<Record<string, unknown>>)[name];
    if (typeof one === "number" || !isEmpty(one)) return false;
  }
  return true;
}

function countSearchQueries(grounding: GroundingMetadata | undefined): number {
  const queries = grounding?.webSearchQueries;
  return Array.isArray(queries) ? new Set(queries).size : 0;
}
