import { ConfigurationError } from "../../errors/agent-error.ts";
import { ApiShapeError } from "../../errors/api-errors.ts";
import { asList, unlessEmpty } from "../../internal/json.ts";
import type { CallOptions, GeminiClientOptions } from "../../wire/client-options.ts";
import type { EndpointKind } from "../../wire/endpoints/endpoint.ts";
import { type ApiClient, encodeJson } from "../../wire/client.ts";
import { checkRequestSize } from "../../wire/http/encode-request.ts";
import type { Content, Part } from "../../wire/types/content.ts";
import type {
  BatchEmbedContentsResponse,
  EmbedContentRequest,
  EmbedContentResponse,
  PredictEmbeddingsRequest,
  PredictEmbeddingsResponse,
} from "../../wire/types/resources.ts";
import type { UsageMetadata } from "../../wire/types/generate-content.ts";
import { readUsage, type Usage } from "../usage.ts";

export interface EmbeddingInput {
  readonly parts: readonly Part[];
  readonly title?: string | undefined;
}

/** The options of `embed()` that shape a request. */
interface EmbeddingSettings extends Pick<GeminiClientOptions, "maxRequestBytes"> {
  readonly model: string;
  readonly taskType?: string | undefined;
  readonly outputDimensionality?: number | undefined;
  readonly autoTruncate?: boolean | undefined;
}

/** Models that take the task type in a field. Newer ones read it from the text. */
const WITH_TASK_FIELD = /^(?:gemini-embedding-(?:001|exp)|text-|textembedding-|embedding-)/;

/** How newer models want the task described. @see https://ai.google.dev/gemini-api/docs/embeddings#task-types-embeddings-2 */
const TASKS: ReadonlyMap<string, string> = new Map([
  ["RETRIEVAL_QUERY", "search result"],
  ["QUESTION_ANSWERING", "question answering"],
  ["FACT_VERIFICATION", "fact checking"],
  ["CODE_RETRIEVAL_QUERY", "code retrieval"],
  ["CLASSIFICATION", "classification"],
  ["CLUSTERING", "clustering"],
  ["SEMANTIC_SIMILARITY", "sentence similarity"],
]);

/** Most inputs of one request. */
const MAX_BATCH = 100;
/** Most characters of one request with several inputs: far below the service's limit on bytes. */
const MAX_BATCH_CHARACTERS = 1024 * 1024;
/** Vertex accepts 20,000 tokens per request, and a token has at least one character. */
const MAX_PREDICT_CHARACTERS = 20_000;

type Method = "embedContent" | "batchEmbedContents" | "predict";

/** Inputs that become vectors, and the requests for them. */
export class EmbeddingCalls {
  readonly #inputs: readonly EmbeddingInput[];
  readonly #settings: EmbeddingSettings;
  readonly #client: ApiClient;
  readonly #method: Method;

  /** @param isBatch - Whether a request may have several inputs. @throws {ConfigurationError} For what the service would reject or ignore. */
  constructor(inputs: readonly EmbeddingInput[], settings: EmbeddingSettings, client: ApiClient, isBatch: boolean) {
    const { kind } = client.endpoint;
    checkEmbedding(inputs, settings, kind);
    this.#inputs = inputs;
    this.#settings = settings;
    this.#client = client;
    if (kind === "vertex") this.#method = hasTaskField(settings.model) ? "predict" : "embedContent";
    else this.#method = isBatch ? "batchEmbedContents" : "embedContent";
  }

  /** Splits the inputs into requests, keeping their order; each is the indices of its inputs. */
  split(): readonly (readonly number[])[] {
    const isPredict = this.#method === "predict";
    const isSingle = isPredict ? nameOf(this.#settings.model).startsWith("gemini-") : this.#method === "embedContent";
    const most = isSingle ? 1 : MAX_BATCH;
    const mostCharacters = isPredict ? MAX_PREDICT_CHARACTERS : MAX_BATCH_CHARACTERS;
    const batches: number[][] = [];
    let characters = 0;
    for (const [index, { parts }] of this.#inputs.entries()) {
      const added = parts.reduce((sum, { text, inlineData }) => sum + (text ?? inlineData?.data ?? "").length, 0);
      const last = batches.at(-1);
      const isFull = last === undefined || last.length === most || characters + added > mostCharacters;
      if (isFull) batches.push([index]);
      else last.push(index);
      characters = isFull ? added : characters + added;
    }
    return batches;
  }

  /** Sends one request, with the inputs at these indices. @throws {ApiShapeError} For an answer without a vector for each input. */
  async send(
    indices: readonly number[],
    options: CallOptions,
  ): Promise<{ readonly vectors: readonly number[][]; readonly usage: Usage }> {
    const inputs = indices.flatMap((index) => this.#inputs[index] ?? []);
    const { model, maxRequestBytes } = this.#settings;
    const [client, operation] = [this.#client, this.#method];
    const body = encodeJson(this.#buildBody(inputs));
    checkRequestSize(body.byteLength, maxRequestBytes, client.endpoint);
    const path = `${client.endpoint.modelPath(model)}:${operation}`;
    const call = client.object({ operation, model, method: "POST", path, body }, options);
    const advice = "use Google's endpoint, or Vertex, for them";
    const answer: EmbeddingAnswer = await client.onCollection(call, "embeddings", advice);
    const [find, place] = VECTORS[operation];
    const found = find(answer);
    if (found.length !== inputs.length)
      throw new ApiShapeError(`The response has ${found.length} embeddings for ${inputs.length} inputs.`, "$", "");
    const vectors = found.map((embedding, index) => readVector(embedding, index, place));
    return {
      vectors,
      usage: readUsage(operation === "predict" ? sumTokens(found) : (answer.usageMetadata ?? undefined)),
    };
  }

  #buildBody(inputs: readonly EmbeddingInput[]): object {
    if (this.#method === "predict") return buildPredict(inputs, this.#settings);
    const { endpoint } = this.#client;
    const requests = inputs.map((input) => buildRequest(input, this.#settings, endpoint.kind));
    const [request = {}] = requests;
    const model = endpoint.modelPath(this.#settings.model);
    return this.#method === "embedContent" ? request : { requests: requests.map((one) => ({ model, ...one })) };
  }
}

type EmbeddingAnswer = EmbedContentResponse & BatchEmbedContentsResponse & PredictEmbeddingsResponse;
type Found = NonNullable<NonNullable<PredictEmbeddingsResponse["predictions"]>[number]>["embeddings"];

/** Where the answers of each method have their vectors. */
const VECTORS: { readonly [Name in Method]: readonly [(answer: EmbeddingAnswer) => readonly Found[], place: string] } =
  {
    embedContent: [({ embedding }) => [embedding], "$.embedding.values"],
    batchEmbedContents: [({ embeddings }) => asList(embeddings), "$.embeddings[#].values"],
    predict: [
      ({ predictions }) => asList(predictions).map((one) => one?.embeddings),
      "$.predictions[#].embeddings.values",
    ],
  };

function checkEmbedding(
  inputs: readonly EmbeddingInput[],
  { model, taskType, autoTruncate }: EmbeddingSettings,
  kind: EndpointKind,
): void {
  if (inputs.some(({ title }) => title !== undefined) && taskType !== "RETRIEVAL_DOCUMENT")
    throw new ConfigurationError(
      'A title is only used with taskType: "RETRIEVAL_DOCUMENT": add it, or leave out titles.',
    );
  if (autoTruncate !== undefined && kind !== "vertex")
    throw new ConfigurationError("autoTruncate is an option of Vertex: leave it out for other endpoints.");
  const isText = kind === "vertex" && hasTaskField(model);
  if (isText && inputs.some(({ parts }) => parts.some(({ text }) => text === undefined)))
    throw new ConfigurationError(`${model} embeds only text: use gemini-embedding-2 for images and other media.`);
  if (taskType === undefined || hasTaskField(model) || taskType === "RETRIEVAL_DOCUMENT" || TASKS.has(taskType)) return;
  throw new ConfigurationError(
    `${model} does not know taskType ${JSON.stringify(taskType)}; use one of ` +
      `${["RETRIEVAL_DOCUMENT", ...TASKS.keys()].join(", ")}, or describe the task in the text.`,
  );
}

function buildRequest(input: EmbeddingInput, settings: EmbeddingSettings, kind: EndpointKind): EmbedContentRequest {
  const { model, taskType, outputDimensionality, autoTruncate } = settings;
  const { parts, title } = input;
  if (hasTaskField(model)) return { content: { role: "user", parts }, taskType, title, outputDimensionality };
  const content: Content = { role: "user", parts: taskType === undefined ? parts : describeTask(input, taskType) };
  if (kind !== "vertex") return { content, outputDimensionality };
  return { content, embedContentConfig: unlessEmpty({ outputDimensionality, autoTruncate }) };
}

/** Puts the task before the first text. Inputs without text have no place for it: the documentation embeds them as they are. */
function describeTask({ parts, title }: EmbeddingInput, taskType: string): readonly Part[] {
  const task = TASKS.get(taskType);
  const heading = task === undefined ? `title: ${title ?? "none"} | text: ` : `task: ${task} | query: `;
  const first = parts.findIndex(({ text }) => text !== undefined);
  return parts.map((part, index) => (index === first ? { ...part, text: heading + part.text } : part));
}

function buildPredict(inputs: readonly EmbeddingInput[], settings: EmbeddingSettings): PredictEmbeddingsRequest {
  const { taskType, outputDimensionality, autoTruncate } = settings;
  const instances = inputs.map(({ parts, title }) => ({
    content: parts.map(({ text }) => text).join("\n"),
    task_type: taskType,
    title,
  }));
  return { instances, parameters: unlessEmpty({ outputDimensionality, autoTruncate }) };
}

function readVector(embedding: Found, index: number, place: string): number[] {
  const values = embedding?.values;
  // A literal such as 1e999 is parsed as Infinity.
  if (Array.isArray(values) && values.length > 0 && values.every((value) => Number.isFinite(value))) return values;
  const excerpt = JSON.stringify(embedding) ?? "";
  throw new ApiShapeError(`The response has no vector for input ${index}.`, place.replace("#", String(index)), excerpt);
}

/** Tokens of all inputs, if all were counted. */
function sumTokens(found: readonly Found[]): UsageMetadata | undefined {
  const counts = found.flatMap((embedding) => embedding?.statistics?.token_count ?? []);
  if (counts.length < found.length) return undefined;
  return { promptTokenCount: counts.reduce((sum, count) => sum + count, 0) };
}

function hasTaskField(model: string): boolean {
  return WITH_TASK_FIELD.test(nameOf(model));
}

function nameOf(model: string): string {
  return model.slice(model.lastIndexOf("/") + 1);
}
