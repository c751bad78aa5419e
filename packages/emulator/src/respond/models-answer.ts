import { ALIASES, findModel, MODELS } from "../catalog/models.ts";
import type { ModelFacts } from "../catalog/model-facts.ts";

const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 1000;

/** One page of the list of models. */
export function modelsPage(query: URLSearchParams): object {
  const served = MODELS.filter((model) => model.state !== "shut").map((model) => modelInfo(model.id, model));
  const aliases = Object.keys(ALIASES).flatMap((alias) => {
    const model = alias.endsWith("-latest") ? findModel(alias) : undefined;
    return model === undefined ? [] : [modelInfo(alias, model)];
  });
  const all = [...served, ...aliases];
  const start = Number(Buffer.from(query.get("pageToken") ?? "", "base64url").toString()) || 0;
  const end = start + Math.min(Number(query.get("pageSize")) || DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE);
  return {
    models: all.slice(start, end),
    ...(end < all.length && { nextPageToken: Buffer.from(String(end)).toString("base64url") }),
  };
}

/** The service's description of one model. */
export function modelInfo(id: string, model: ModelFacts): object {
  const methods = model.generates
    ? [
        "generateContent",
        ...(model.streaming ? ["streamGenerateContent"] : []),
        "countTokens",
        ...(model.explicitCaches ? ["createCachedContent"] : []),
      ]
    : ["embedContent", "batchEmbedContents"];
  return {
    name: `models/${id}`,
    version: String(model.generation),
    displayName: id
      .split("-")
      .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
      .join(" "),
    description: `${model.id}, emulated`,
    inputTokenLimit: model.inputTokenLimit,
    outputTokenLimit: model.outputTokenLimit,
    supportedGenerationMethods: methods,
    ...(model.generates && { temperature: 1, topP: 0.95, topK: 64, maxTemperature: 2 }),
    ...(model.thinking.kind !== "none" && { thinking: true }),
  };
}
