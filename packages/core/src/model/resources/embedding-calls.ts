import { ConfigurationError } from "../../errors/agent-error.ts";
import { ApiShapeError } from "../../errors/api-errors.ts";
import type { CallOptions } from "../../wire/client-options.ts";
import type { EndpointKind } from "../../wire/endpoints/endpoint.ts";
import { type ApiClient, encodeJson } from "../../wire/client.ts";
import { checkRequestSize } from "../../wire/http/encode-request.ts";
import type { Content, Part } from "../../wire/types/content.ts";
import type {
  BatchEmbedContentsResponse,
  ContentEmbedding,
  EmbedContentRequest,
  EmbedContentResponse,
  PredictEmbeddingsRequest,
  PredictEmbeddingsResponse,
} from "../../wire/types/resources.ts";
import { readUsage, type Usage } from "../usage.ts";

/** What is embedded into one vector. */
export interface EmbeddingInput {
  readonly parts: readonly Part[];
  readonly title?: string | undefined;
}

/** What all requests of one call share. */
export interface EmbeddingSettings {
  readonly model: string;
  readonly taskType?: string | undefined;
  readonly outputDimensionality?: number | undefined;
  readonly autoTruncate?: boolean | undefined;
}

/** What one request gave. */
export interface EmbeddedBatch {
  /** In the order of the inputs. */
  readonly vectors: readonly number[][];
  readonly usage: Usage;
}

/** How a model is asked for embeddings: `embedContent` takes one content. */
export type EmbeddingMethod = "embedContent" | "batchEmbedContents" | "predict";

/** Models that take the task type in a field. Newer ones read it from the text. */
const WITH_TASK_FIELD = /^(?:gemini-embedding-(?:001|exp)|text-|textembedding-|embedding-)/;

/**
 * How newer models want the task described.
 *
 * @see https://ai.google.dev/gemini-api/docs/embeddings#task-types-embeddings-2
 */
const TASKS: ReadonlyMap<string, string> = new Map([
  ["RETRIEVAL_QUERY", "search result"],
  ["QUESTION_ANSWERING", "question answering"],
  ["FACT_VERIFICATION", "fact checking"],
  ["CODE_RETRIEVAL_QUERY", "code retrieval"],
  ["CLASSIFICATION", "classification"],
  ["CLUSTERING", "clustering"],
  ["SEMANTIC_SIMILARITY", "sentence similarity"],
]);

/** The method for many inputs. */
export function batchMethod(model: string, kind: EndpointKind): EmbeddingMethod {
  return kind === "vertex" ? singleMethod(model, kind) : "batchEmbedContents";
}

/** The method for one input. */
export function singleMethod(model: string, kind: EndpointKind): EmbeddingMethod {
  return kind === "vertex" && hasTaskField(model) ? "predict" : "embedContent";
}

/** Most inputs of one request. */
const MAX_BATCH = 100;
/** Most characters of one request with several inputs: far below the service's limit on bytes. */
const MAX_BATCH_CHARACTERS = 1024 * 1024;
/** Vertex accepts 20,000 tokens per request, and a token has at least one character. */
const MAX_PREDICT_CHARACTERS = 20_000;

/** Splits inputs into requests, keeping their order; each is the indices of its inputs. */
export function splitBatches(
  inputs: readonly EmbeddingInput[],
  method: EmbeddingMethod,
  model: string,
): readonly (readonly number[])[] {
  const isSingle = method === "embedContent" || (method === "predict" && nameOf(model).startsWith("gemini-"));
  const most = isSingle ? 1 : MAX_BATCH;
  const mostCharacters = method === "predict" ? MAX_PREDICT_CHARACTERS : MAX_BATCH_CHARACTERS;
  const batches: number[][] = [];
  let characters = 0;
  for (const [index, { parts }] of inputs.entries()) {
    const added = parts.reduce((sum, { text, inlineData }) => sum + (text ?? inlineData?.data ?? "").length, 0);
    const last = batches.at(-1);
    if (last === undefined || last.length === most || characters + added > mostCharacters) {
      batches.push([index]);
      characters = added;
    } else {
      last.push(index);
      characters += added;
    }
  }
  return batches;
}

/**
 * Checks what the service would reject or ignore.
 *
 * @throws {ConfigurationError} Naming the option and what to do.
 */
export function checkEmbedding(
  inputs: readonly EmbeddingInput[],
  settings: EmbeddingSettings,
  kind: EndpointKind,
): void {
  const { model, taskType, autoTruncate } = settings;
  if (inputs.some(({ title }) => title !== undefined) && taskType !== "RETRIEVAL_DOCUMENT")
    throw new ConfigurationError(
      'A title is only used with taskType: "RETRIEVAL_DOCUMENT": add it, or leave out titles.',
    );
  if (autoTruncate !== undefined && kind !== "vertex")
    throw new ConfigurationError("autoTruncate is an option of Vertex: leave it out for other endpoints.");
  const isText = singleMethod(model, kind) === "predict";
  if (isText && inputs.some(({ parts }) => parts.some(({ text }) => text === undefined)))
    throw new ConfigurationError(`${model} embeds only text: use gemini-embedding-2 for images and other media.`);
  if (taskType === undefined || hasTaskField(model) || taskType === "RETRIEVAL_DOCUMENT" || TASKS.has(taskType)) return;
  throw new ConfigurationError(
    `${model} does not know taskType ${JSON.stringify(taskType)}; use one of ` +
      `${["RETRIEVAL_DOCUMENT", ...TASKS.keys()].join(", ")}, or describe the task in the text.`,
  );
}

/** Where embeddings come from. */
export interface EmbeddingClient {
  readonly api: ApiClient;
  readonly maxRequestBytes: number | undefined;
}

/** Sends one request. @throws {ApiShapeError} For an answer without a vector for each input. */
export async function sendBatch(
  client: EmbeddingClient,
  method: EmbeddingMethod,
  inputs: readonly EmbeddingInput[],
  settings: EmbeddingSettings,
  options: CallOptions,
): Promise<EmbeddedBatch> {
  const post = async (request: object): Promise<object> =>
    await postTo(client, method, settings.model, request, options);
  if (method === "predict") {
    const { predictions }: PredictEmbeddingsResponse = await post(buildPredict(inputs, settings));
    const embeddings = listOf(predictions).map((prediction) => prediction?.embeddings);
    const counts = embeddings.flatMap((embedding) => embedding?.statistics?.token_count ?? []);
    const promptTokenCount = counts.reduce((sum, count) => sum + count, 0);
    const vectors = readVectors(embeddings, inputs.length, (index) => `$.predictions[${index}].embeddings.values`);
    return { vectors, usage: readUsage(counts.length === inputs.length ? { promptTokenCount } : undefined) };
  }
  const requests = inputs.map((input) => buildRequest(input, settings, client.api.endpoint.kind));
  const [request] = requests;
  if (method === "embedContent" && request !== undefined) {
    const { embedding, usageMetadata }: EmbedContentResponse = await post(request);
    const vectors = readVectors([embedding], 1, () => "$.embedding.values");
    return { vectors, usage: readUsage(usageMetadata ?? undefined) };
  }
  const model = client.api.endpoint.modelPath(settings.model);
  const body = { requests: requests.map((one) => ({ model, ...one })) };
  const { embeddings, usageMetadata }: BatchEmbedContentsResponse = await post(body);
  const vectors = readVectors(listOf(embeddings), inputs.length, (index) => `$.embeddings[${index}].values`);
  return { vectors, usage: readUsage(usageMetadata ?? undefined) };
}

async function postTo(
  { api, maxRequestBytes }: EmbeddingClient,
  operation: EmbeddingMethod,
  model: string,
  request: object,
  options: CallOptions,
): Promise<object> {
  const body = encodeJson(request);
  checkRequestSize(body.byteLength, maxRequestBytes, api.endpoint);
  const path = `${api.endpoint.modelPath(model)}:${operation}`;
  const call = api.object({ operation, model, method: "POST", path, body }, options);
  return await api.onCollection(call, "embeddings", "use Google's endpoint, or Vertex, for them");
}

function buildRequest(input: EmbeddingInput, settings: EmbeddingSettings, kind: EndpointKind): EmbedContentRequest {
  const { model, taskType, outputDimensionality, autoTruncate } = settings;
  const { parts, title } = input;
  if (hasTaskField(model)) return { content: { role: "user", parts }, taskType, title, outputDimensionality };
  const content: Content = { role: "user", parts: taskType === undefined ? parts : describeTask(input, taskType) };
  if (kind !== "vertex") return { content, outputDimensionality };
  const hasConfig = outputDimensionality !== undefined || autoTruncate !== undefined;
  return { content, ...(hasConfig && { embedContentConfig: { outputDimensionality, autoTruncate } }) };
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
  const hasParameters = outputDimensionality !== undefined || autoTruncate !== undefined;
  return { instances, ...(hasParameters && { parameters: { outputDimensionality, autoTruncate } }) };
}

function readVectors(
  embeddings: readonly (ContentEmbedding | undefined)[],
  expected: number,
  pathOf: (index: number) => string,
): readonly number[][] {
  if (embeddings.length !== expected)
    throw new ApiShapeError(`The response has ${embeddings.length} embeddings for ${expected} inputs.`, "$", "");
  return embeddings.map((embedding, index) => {
    const values = embedding?.values;
    // A literal such as 1e999 is parsed as Infinity.
    if (Array.isArray(values) && values.length > 0 && values.every((value) => Number.isFinite(value))) return values;
    const excerpt = JSON.stringify(embedding) ?? "";
    throw new ApiShapeError(`The response has no vector for input ${index}.`, pathOf(index), excerpt);
  });
}

/** Anything but a list, such as null, counts as an empty one; members may be null. */
function listOf<T>(value: readonly T[] | undefined): readonly (T | undefined)[] {
  return Array.isArray(value) ? value : [];
}

function hasTaskField(model: string): boolean {
  return WITH_TASK_FIELD.test(nameOf(model));
}

function nameOf(model: string): string {
  return model.slice(model.lastIndexOf("/") + 1);
}
