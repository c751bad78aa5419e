import type { Content, Part } from "@pollux/core/wire";
import type { ModelFacts } from "../catalog/model-facts.ts";
import type { IncomingRequest } from "../incoming-request.ts";
import type { ResourceAnswer } from "../resource-answer.ts";
import { addCounts, estimateContent, type FileLookup, type TokenCount } from "../respond/estimate-tokens.ts";
import { readBody } from "../validate/body.ts";
import { scopeOf, surfaceOf } from "../validate/contract.ts";
import { type Problem, problem } from "../validate/problem.ts";
import { parseRoute, resolveModel, type Route } from "../validate/route.ts";
import { resolveSwitches, type StrictSwitches } from "../validate/switches.ts";
import type { Profile } from "../validate/types.ts";
import { DIMENSIONS, embed } from "./embed.ts";
import { dimensionProblem, isFirst, readable, tokensProblem } from "./embedding-model.ts";
import { answerPredict } from "./predict.ts";

/** A parsed address of an embedding method. */
export interface EmbeddingRoute extends Route {
  readonly kind: "embedContent" | "batchEmbedContents" | "predict";
}

/** The settings that the methods need to answer a request. */
export interface EmbeddingContext {
  readonly profile: Profile;
  readonly strict: StrictSwitches | undefined;
  readonly fileOf: FileLookup;
}

interface EmbedRequest {
  readonly model?: string;
  readonly content?: Partial<Content>;
  readonly title?: string;
  readonly outputDimensionality?: number | string;
  readonly embedContentConfig?: {
    readonly outputDimensionality?: number | string;
    readonly title?: string;
    readonly autoTruncate?: boolean;
  };
}

const MAX_BATCH = 100;

/** Parses method and path; undefined if they don't address an embedding method of this profile. */
export function parseEmbeddingRoute(method: string, url: URL, profile: Profile): EmbeddingRoute | undefined {
  const route = parseRoute(method, url, profile);
  if (route === undefined || method !== "POST") return undefined;
  const { verb } = route;
  const kinds =
    profile === "vertex" ? (["embedContent", "predict"] as const) : (["embedContent", "batchEmbedContents"] as const);
  const kind = kinds.find((name) => name === verb);
  return kind && { ...route, kind };
}

/** Vectors for one content, or for each in a list; undefined for models that don't embed. */
export function answerEmbeddings(
  route: EmbeddingRoute,
  { body }: IncomingRequest,
  context: EmbeddingContext,
): ResourceAnswer | undefined {
  const { kind } = route;
  const { profile, fileOf } = context;
  const switches = resolveSwitches(context.strict);
  const model = resolveModel(route, profile, switches);
  if ("rule" in model || model.generates) return undefined;
  const wrong = methodProblem(route, model, profile);
  if (wrong) return { operation: kind, problems: [wrong] };
  const message = {
    embedContent: "EmbedContentRequest",
    batchEmbedContents: "BatchEmbedContentsRequest",
    predict: "PredictRequest",
  };
  const read = readBody(body, message[kind], scopeOf(route, profile, surfaceOf(profile, switches), switches));
  if (!("raw" in read)) return { operation: kind, problems: read };
  if (kind === "predict") return answerPredict(read.value, model);
  const single = kind === "embedContent";
  // The fields have been checked against the descriptor of this very message.
  const requests = (single ? [read.value] : (read.value["requests"] ?? [])) as readonly EmbedRequest[];
  const counts = requests.map(({ content }) => estimateContent({ role: "user", parts: content?.parts ?? [] }, fileOf));
  const found = requestsProblem(requests, counts, route, model);
  if (found) return { operation: kind, problems: [found] };
  const embeddings = requests.map((request) => ({
    values: embed(readText(request, model), dimensionsOf(request), !isFirst(model)),
  }));
  const truncated = counts.some(({ total }) => total > model.inputTokenLimit);
  return {
    operation: kind,
    model: model.id,
    body: {
      ...(single ? { embedding: embeddings[0] } : { embeddings }),
      ...usageOf(addCounts(counts), model, profile),
      ...(profile === "vertex" && truncated && { truncated }),
    },
  };
}

/** On Vertex, each model has one method. */
function methodProblem({ kind, resource }: EmbeddingRoute, model: ModelFacts, profile: Profile): Problem | undefined {
  if (profile !== "vertex" || (kind === "predict") === isFirst(model)) return undefined;
  const message = `The model ${resource} does not support ${kind}.`;
  return { rule: "X-1", message, status: "FAILED_PRECONDITION", code: 400 };
}

function requestsProblem(
  requests: readonly EmbedRequest[],
  counts: readonly TokenCount[],
  { kind, resource }: EmbeddingRoute,
  model: ModelFacts,
): Problem | undefined {
  const single = kind === "embedContent";
  if (requests.length === 0) {
    return problem("E-04", "* BatchEmbedContentsRequest.requests: requests is not specified");
  }
  if (requests.length > MAX_BATCH) {
    const message = `* BatchEmbedContentsRequest.requests: at most ${MAX_BATCH} requests can be in one batch`;
    return problem("X-1", message);
  }
  for (const [index, request] of requests.entries()) {
    const root = single ? "EmbedContentRequest" : `BatchEmbedContentsRequest.requests[${index}]`;
    if (!single && request.model !== resource)
      return problem("X-1", `* ${root}.model: must be the model of the batch, ${resource}`);
    const parts = request.content?.parts ?? [];
    if (parts.length === 0) return problem("E-04", `* ${root}.content: contents is not specified`);
    if (isFirst(model) && parts.some((part) => part.text === undefined))
      return problem("X-1", `* ${root}.content: the model embeds only text`);
    const path = `${root}.output_dimensionality`;
    const found = dimensionProblem(dimensionsOf(request), path);
    if (found) return found;
    const tokens = counts[index]?.total ?? 0;
    if (request.embedContentConfig?.autoTruncate === false && tokens > model.inputTokenLimit)
      return tokensProblem(tokens, model);
  }
  return undefined;
}

function dimensionsOf({ outputDimensionality, embedContentConfig }: EmbedRequest): number {
  return Number(outputDimensionality ?? embedContentConfig?.outputDimensionality ?? DIMENSIONS);
}

function readText(
  { content, title, embedContentConfig }: EmbedRequest,
  model: ModelFacts,
): { text: string; media: string[] } {
  const parts: readonly Part[] = content?.parts ?? [];
  const texts = [title ?? embedContentConfig?.title ?? "", ...parts.flatMap(({ text }) => text ?? [])];
  return {
    text: readable(texts.join("\n"), model),
    media: parts.filter(({ text }) => text === undefined).map((part) => JSON.stringify(part)),
  };
}

function usageOf(count: TokenCount, model: ModelFacts, profile: Profile): object {
  if (isFirst(model)) return {};
  const details = profile === "vertex" ? "promptTokensDetails" : "promptTokenDetails";
  return {
    usageMetadata: {
      promptTokenCount: count.total,
      ...(profile === "vertex" && { totalTokenCount: count.total }),
      [details]: count.details,
    },
  };
}
