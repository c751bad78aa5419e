import type { Content } from "@pollux/core/wire";
import type { IncomingRequest } from "../incoming-request.ts";
import type { ResourceAnswer } from "../resource-answer.ts";
import { readBody } from "../validate/body.ts";
import { type Problem, problem } from "../validate/problem.ts";
import { resolveModel } from "../validate/route.ts";
import { resolveSwitches, type StrictSwitches } from "../validate/switches.ts";
import { embed } from "./embed.ts";

/** A parsed address of an embedding method. */
export interface EmbeddingRoute {
  readonly kind: "embedContent" | "batchEmbedContents";
  readonly apiVersion: string;
  readonly modelId: string;
}

interface EmbedRequest {
  readonly content?: Content;
  readonly outputDimensionality?: number | string;
  readonly embedContentConfig?: { readonly outputDimensionality?: number | string };
}

const PATH = /^\/(v1beta|v1alpha|v1)\/models\/([^/:]+):(embedContent|batchEmbedContents)$/;
const MAX_DIMENSIONS = 3072;
const MAX_BATCH = 100;

/** Parses method and path; undefined if they don't address an embedding method. */
export function parseEmbeddingRoute(method: string, url: URL): EmbeddingRoute | undefined {
  const [, apiVersion = "", modelId = "", verb] = PATH.exec(decodePath(url.pathname).replaceAll(/\/{2,}/g, "/")) ?? [];
  if (method !== "POST" || verb === undefined) return undefined;
  return { kind: verb === "embedContent" ? verb : "batchEmbedContents", apiVersion, modelId };
}

/** Vectors for one content, or for each in a list; undefined for models that don't embed. */
export function answerEmbeddings(
  { kind, apiVersion, modelId }: EmbeddingRoute,
  { body }: IncomingRequest,
  strict: StrictSwitches | undefined,
): ResourceAnswer | undefined {
  const route = { apiVersion, modelId, resource: `models/${modelId}`, verb: kind, sse: false };
  const model = resolveModel(route, "developer", resolveSwitches(strict));
  if ("rule" in model || model.generates) return undefined;
  const single = kind === "embedContent";
  const message = single ? "EmbedContentRequest" : "BatchEmbedContentsRequest";
  const read = readBody(body, message, { surface: "developer", old: false, oldV1: false, apiVersion });
  if (!("raw" in read)) return { operation: kind, problems: read };
  // The fields have been checked against the descriptor of this very message.
  const requests = (single ? [read.value] : (read.value["requests"] ?? [])) as readonly EmbedRequest[];
  const found = requestsProblem(requests, single);
  if (found) return { operation: kind, problems: [found] };
  const embeddings = requests.map((request) => ({ values: embed(textOf(request.content), dimensionsOf(request)) }));
  return { operation: kind, model: model.id, body: single ? { embedding: embeddings[0] } : { embeddings } };
}

function requestsProblem(requests: readonly EmbedRequest[], single: boolean): Problem | undefined {
  if (requests.length === 0) {
    return problem("E-04", "* BatchEmbedContentsRequest.requests: requests is not specified");
  }
  if (requests.length > MAX_BATCH) {
    const message = `* BatchEmbedContentsRequest.requests: at most ${MAX_BATCH} requests can be in one batch`;
    return problem("X-1", message);
  }
  for (const [index, request] of requests.entries()) {
    const root = single ? "EmbedContentRequest" : `BatchEmbedContentsRequest.requests[${index}]`;
    if (!request.content?.parts?.length) return problem("E-04", `* ${root}.content: contents is not specified`);
    const dimensions = dimensionsOf(request);
    if (!(dimensions >= 1 && dimensions <= MAX_DIMENSIONS)) {
      return problem("X-1", `* ${root}.output_dimensionality: must be from 1 to ${MAX_DIMENSIONS}`);
    }
  }
  return undefined;
}

function dimensionsOf({ outputDimensionality, embedContentConfig }: EmbedRequest): number {
  return Number(outputDimensionality ?? embedContentConfig?.outputDimensionality ?? MAX_DIMENSIONS);
}

/** Non-text parts are represented by their content. */
function textOf(content: Content | undefined): string {
  return (content?.parts ?? []).map((part) => part.text ?? JSON.stringify(part)).join("\n");
}

/** Clients may escape the colon before the verb; a malformed escape is left unchanged. */
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
