import { ConfigurationError } from "../errors/configuration-error.ts";

/**
 * Resource path of a model on the Developer API and on gateways: a bare id gets `models/` in front, an id with a slash
 * stands as it is.
 *
 * @throws {ConfigurationError} For an id that would change the URL around it.
 */
export function developerModelPath(model: string): string {
  checkModelId(model);
  return model.includes("/") ? model : `models/${model}`;
}

/** Resource path of a model on Vertex, below `prefix` (`projects/…/locations/…`, or empty in express mode). */
export function vertexModelPath(model: string, prefix: string): string {
  checkModelId(model);
  if (model.startsWith("projects/")) return model;
  return prefix + publisherPath(model);
}

function publisherPath(model: string): string {
  if (model.startsWith("publishers/")) return model;
  if (!model.includes("/")) return `publishers/google/models/${model}`;
  if (model.startsWith("models/")) return `publishers/google/${model}`;
  const slash = model.indexOf("/");
  return `publishers/${model.slice(0, slash)}/models/${model.slice(slash + 1)}`;
}

function checkModelId(model: string): void {
  if (/^[\w.@:-]+(?:\/[\w.@:-]+)*$/.test(model) && !model.split("/").includes("..")) return;
  throw new ConfigurationError(
    `${JSON.stringify(model.slice(0, 100))} is not a model id; use one like "gemini-flash-latest" or "tunedModels/my-model".`,
  );
}
