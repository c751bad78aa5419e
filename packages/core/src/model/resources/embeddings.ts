import { attachedTo, attachTo } from "../../errors/agent-error.ts";
import { checkAtLeast, checkOptions, namesIn, type OptionNames, type Spellings } from "../../internal/option-names.ts";
import {
  type CallSignal,
  CLIENT_OPTIONS,
  CLIENT_SPELLINGS,
  type GeminiClientOptions,
} from "../../wire/client-options.ts";
import { ApiClient } from "../../wire/client.ts";
import type { Part } from "../../wire/types/content.ts";
import { isMedia, type Media, mediaPart } from "../request/check-contents.ts";
import { addUsage, NO_USAGE, type Usage } from "../usage.ts";
import { EmbeddingCalls, type EmbeddingInput } from "./embedding-calls.ts";

/**
 * What the vectors are for. For a search, embed documents with `RETRIEVAL_DOCUMENT`, and queries with the type of the question.
 * @see https://ai.google.dev/gemini-api/docs/embeddings#task-types
 */
export type EmbeddingTaskType =
  | "RETRIEVAL_QUERY"
  | "RETRIEVAL_DOCUMENT"
  | "QUESTION_ANSWERING"
  | "FACT_VERIFICATION"
  | "CODE_RETRIEVAL_QUERY"
  | "CLASSIFICATION"
  | "CLUSTERING"
  | "SEMANTIC_SIMILARITY"
  | (string & {});

/** A text, a file made by `media()`, or a part in wire format. */
export type EmbedPiece = string | Media | Part;

/** What becomes one vector: one piece, or several of them together. */
export type EmbedInput = EmbedPiece | readonly EmbedPiece[];

/** A document with its title, which improves retrieval. Only with `RETRIEVAL_DOCUMENT`. */
export interface TitledInput {
  readonly title: string;
  readonly content: EmbedInput;
}

/** Options of {@link embed} and {@link embedMany}: those below, those of the client such as `endpoint`, and a signal. */
export interface EmbedOptions extends GeminiClientOptions, CallSignal {
  /** Such as `gemini-embedding-2`. Vectors of different models cannot be compared. */
  readonly model: string;
  /** What the vectors are for. Models newer than `gemini-embedding-001` take it as a phrase, which is added to the first text of each input. */
  readonly taskType?: EmbeddingTaskType | undefined;
  /**
   * Number of dimensions. Reduced vectors of `gemini-embedding-001` do not have length 1: normalize them before you take dot products;
   * {@link cosineSimilarity} needs no normalizing. @defaultValue the model's, 3072 for Gemini models
   */
  readonly outputDimensionality?: number | undefined;
  /** False rejects inputs that are too long instead of cutting them off. Vertex only. @defaultValue true */
  readonly autoTruncate?: boolean | undefined;
}

/** Options of {@link embedMany}. */
export interface EmbedManyOptions extends EmbedOptions {
  /** Most requests in flight; `traffic` limits them together with those of other clients. @defaultValue 4 */
  readonly maxConcurrent?: number | undefined;
}

/** Result of {@link embed}. */
export interface EmbedResult {
  readonly embedding: number[];
  /** `incomplete` where the service does not count tokens, as with `gemini-embedding-001` outside Vertex. */
  readonly usage: Usage;
}

/** Result of {@link embedMany}. */
export interface EmbedManyResult {
  /** One vector per input, in their order. */
  readonly embeddings: readonly number[][];
  /** Sum over all requests; see {@link EmbedResult}. */
  readonly usage: Usage;
}

/** Results that an interrupted {@link embedMany} had received. */
export interface EmbeddedSoFar {
  /** By index of the input; undefined where a vector is missing. */
  readonly embeddings: readonly (number[] | undefined)[];
  readonly usage: Usage;
}

/**
 * Embeds one text, document or image into a vector.
 * @throws {TypeError} For an empty input, or an option out of range.
 * @throws {ConfigurationError} For no key, a title without `RETRIEVAL_DOCUMENT`, or an endpoint without embeddings.
 * @throws {ApiStatusError} When the service rejects the request, after retries.
 * @see https://ai.google.dev/gemini-api/docs/embeddings
 * @example const { embedding } = await embed("Oslo is the capital of Norway.", { model: "gemini-embedding-001" });
 */
export async function embed(input: EmbedInput | TitledInput, options: EmbedOptions): Promise<EmbedResult> {
  checkEmbedOptions("embed()", options);
  const { vectors, usage } = await prepare([input], options, false).send([0], { signal: options.signal });
  return { embedding: vectors[0] ?? [], usage };
}

/**
 * Embeds any number of inputs, up to 100 in a request (on Vertex, Gemini models take one), a few requests at a time. When a request fails,
 * no further ones are started; the error is thrown unchanged, and {@link embeddedSoFar} has the vectors that arrived.
 * @throws As {@link embed}.
 * @example const { embeddings } = await embedMany(["Oslo", "Lima"], { model: "gemini-embedding-001", taskType: "RETRIEVAL_DOCUMENT" });
 */
export async function embedMany(
  inputs: readonly (EmbedInput | TitledInput)[],
  options: EmbedManyOptions,
): Promise<EmbedManyResult> {
  if (!Array.isArray(inputs))
    throw new TypeError("embedMany(inputs, options) takes a list of inputs; use embed() for one");
  checkEmbedOptions("embedMany()", options);
  const { maxConcurrent = 4, signal } = options;
  checkAtLeast("maxConcurrent", maxConcurrent, 1);
  signal?.throwIfAborted();
  if (inputs.length === 0) return { embeddings: [], usage: NO_USAGE };
  const calls = prepare(inputs, options, true);
  const batches = calls.split().values();
  const embeddings: (number[] | undefined)[] = inputs.map(() => undefined);
  const group = {};
  let usage = NO_USAGE;
  let failure: { readonly error: unknown } | undefined;

  const work = async (): Promise<void> => {
    for (const indices of batches) {
      try {
        const done = await calls.send(indices, { signal, group });
        for (const [at, index] of indices.entries()) embeddings[index] = done.vectors[at];
        usage = addUsage(usage, done.usage);
      } catch (error) {
        failure ??= { error };
      }
      if (failure !== undefined) return;
    }
  };
  await Promise.all(Array.from({ length: Math.min(maxConcurrent, inputs.length) }, work));
  if (failure === undefined) return { embeddings: embeddings.map((vector) => vector ?? []), usage };
  attachTo(failure.error, SO_FAR, { embeddings, usage });
  throw failure.error;
}

const SO_FAR = Symbol.for("pollux.embeddedSoFar");

/** The vectors that {@link embedMany} had when it threw this error (or your abort reason, if that is an object); undefined for other errors. */
export function embeddedSoFar(error: unknown): EmbeddedSoFar | undefined {
  return attachedTo(error, SO_FAR) as EmbeddedSoFar | undefined;
}

/**
 * How similar two vectors are: 1 for the same direction, 0 for unrelated, -1 for opposite; 0 if one is all zeros.
 * @throws {TypeError} For vectors of different dimensions.
 * @example const best = vectors.toSorted((a, b) => cosineSimilarity(b, asked) - cosineSimilarity(a, asked))[0];
 */
export function cosineSimilarity(left: ArrayLike<number>, right: ArrayLike<number>): number {
  if (left.length !== right.length)
    throw new TypeError(
      `the vectors have ${left.length} and ${right.length} dimensions: embed both with the same model and options`,
    );
  let dot = 0;
  let leftSquares = 0;
  let rightSquares = 0;
  for (let index = 0; index < left.length; index++) {
    const [a, b] = [left[index] ?? 0, right[index] ?? 0];
    dot += a * b;
    leftSquares += a * a;
    rightSquares += b * b;
  }
  const lengths = Math.sqrt(leftSquares) * Math.sqrt(rightSquares);
  // Rounding can slightly exceed the range.
  return lengths === 0 ? 0 : Math.max(-1, Math.min(1, dot / lengths));
}

const OPTIONS: OptionNames<EmbedManyOptions> = {
  ...CLIENT_OPTIONS,
  ...namesIn("model taskType outputDimensionality autoTruncate maxConcurrent signal"),
};
const SPELLINGS: Spellings = {
  ...CLIENT_SPELLINGS,
  "pass it as the first argument": "value values input inputs content contents",
  "use outputDimensionality": "dimensions dimension",
  "use signal": "abortSignal",
  "use retry: { maxAttempts: … }": "maxRetries",
  "use maxConcurrent": "maxParallelCalls",
  "its members are options of their own, such as taskType": "config providerOptions",
};

/** Both functions accept the options of the other one, so that a program can share them. */
function checkEmbedOptions(where: string, options: EmbedOptions): void {
  if (options === undefined) throw new TypeError(`${where} takes the input first, then the options: { model: … }`);
  checkOptions(where, options, OPTIONS, SPELLINGS);
}

/** Checks everything that can be checked before the first request. */
function prepare(
  given: readonly (EmbedInput | TitledInput)[],
  options: EmbedOptions,
  isBatch: boolean,
): EmbeddingCalls {
  const { model, outputDimensionality } = options;
  if (typeof model !== "string") throw new TypeError('embeddings require a model, such as "gemini-embedding-2"');
  if (outputDimensionality !== undefined && !(Number.isInteger(outputDimensionality) && outputDimensionality > 0))
    throw new TypeError(`outputDimensionality must be an integer of at least 1, got ${outputDimensionality}`);
  return new EmbeddingCalls(given.map(toInput), options, new ApiClient(options), isBatch);
}

function toInput(given: EmbedInput | TitledInput, index: number): EmbeddingInput {
  const isTitled = typeof given === "object" && given !== null && "content" in given;
  const { title, content } = isTitled ? given : { title: undefined, content: given };
  const parts = [content].flat().map((piece) => toPart(piece, index));
  if (parts.length === 0 || parts.some(({ text }) => text === ""))
    throw new TypeError(`input ${index} is empty, or has an empty text: remove it`);
  return { parts, title };
}

function toPart(piece: EmbedPiece, index: number): Part {
  if (typeof piece === "string") return { text: piece };
  if (typeof piece !== "object" || piece === null || piece instanceof Promise)
    throw new TypeError(
      `input ${index} must be a text, media or parts; media() of a Blob is asynchronous, so use \`await media(blob)\``,
    );
  return isMedia(piece) ? mediaPart(piece) : piece;
}
