import { closestModel } from "../catalog/closest-model.ts";
import { findModel, NEWEST_FLASH } from "../catalog/models.ts";
import type { ModelFacts } from "../catalog/model-facts.ts";
import type { Problem } from "./problem.ts";
import type { ResolvedSwitches } from "./switches.ts";
import type { Operation, Profile } from "./types.ts";

/** A parsed method and path, before the model is looked up. */
export interface Route {
  readonly apiVersion: string;
  /** Id as in the path, without `models/`; empty for the list. */
  readonly modelId: string;
  /** The model's full name in the service's messages. */
  readonly resource: string;
  /** Verb after the colon, or `list` and `get`. */
  readonly verb: string;
  readonly sse: boolean;
}

const DEVELOPER_PATH = /^\/(v\d+\w*)\/((?:models|tunedModels)(?:\/([^/:]+))?)(?::([A-Za-z]+))?$/;
const VERTEX_PATH =
  /^\/(v\d+\w*)\/((?:projects\/[^/]+\/locations\/[^/]+\/)?publishers\/[^/]+\/models(?:\/([^/:]+))?)(?::([A-Za-z]+))?$/;

/** Versions that each profile serves. The gateway's `v1` is a different API. */
const VERSIONS: Readonly<Record<Profile, readonly string[]>> = {
  developer: ["v1beta", "v1", "v1alpha"],
  "developer-v1": ["v1", "v1beta", "v1alpha"],
  vertex: ["v1beta1", "v1"],
  comet: ["v1beta"],
  "old-proxy": ["v1beta", "v1"],
};

const GENERATING = new Set(["generateContent", "streamGenerateContent", "countTokens", "computeTokens"]);

/** Parses method and path; undefined if the service has nothing at that address. */
export function parseRoute(method: string, url: URL, profile: Profile): Route | undefined {
  const path = decodePath(url.pathname).replaceAll(/\/{2,}/g, "/");
  const match = (profile === "vertex" ? VERTEX_PATH : DEVELOPER_PATH).exec(path);
  if (!match) return undefined;
  const [, version = "", resource = "", modelId = "", verb] = match;
  if (!VERSIONS[profile].includes(version)) return undefined;
  const reading = method === "GET" && verb === undefined;
  if (!reading && !(method === "POST" && verb !== undefined && modelId !== "")) return undefined;
  return {
    apiVersion: version,
    modelId,
    resource,
    verb: verb ?? (modelId === "" ? "list" : "get"),
    sse: url.searchParams.get("alt") === "sse" && verb === "streamGenerateContent",
  };
}

/** Looks up the model and the operation of a route. */
export function resolveRoute(
  route: Route,
  profile: Profile,
  switches: ResolvedSwitches,
): { readonly operation: Operation; readonly model: ModelFacts } | Problem {
  if (route.verb === "list") return { operation: "listModels", model: NEWEST_FLASH };
  const model = resolveModel(route, profile, switches);
  if ("rule" in model) return model;
  if (route.verb === "get") return { operation: "getModel", model };
  if (!isOperation(route.verb) || !model.generates) return unknownModel(route, profile);
  if (route.verb === "computeTokens" && profile !== "vertex") return unknownModel(route, profile);
  if (route.verb === "streamGenerateContent" && !model.streaming) return unknownModel(route, profile);
  return { operation: route.verb, model };
}

/** Looks up the model of a route. */
export function resolveModel(route: Route, profile: Profile, switches: ResolvedSwitches): ModelFacts | Problem {
  const model = lookUp(route.modelId, switches);
  if (!model) return unknownModel(route, profile);
  return (switches.retiredModels === "refuse" ? retired(model, route, profile) : undefined) ?? model;
}

/** Clients may escape the colon before the verb; a malformed escape is left unchanged. */
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function lookUp(id: string, switches: ResolvedSwitches): ModelFacts | undefined {
  const known = findModel(id);
  if (known) return known;
  const { extraModels } = switches;
  const allowed = extraModels === "gemini" ? /^gemini-\d/.test(id) : extraModels.includes(id);
  return allowed ? closestModel(id) : undefined;
}

function isOperation(verb: string): verb is Operation {
  return GENERATING.has(verb);
}

/** The rejection of a model that doesn't exist, or doesn't support this method (E-70, E-73). */
export function unknownModel(route: Route, profile: Profile): Problem {
  if (profile === "comet") {
    const message = `No available channel for model ${route.modelId} under group default (distributor)`;
    return {
      rule: "E-73",
      message,
      status: "UNAVAILABLE",
      gateway: { code: "model_not_found", type: "new_api_error" },
    };
  }
  if (profile === "vertex") {
    return { rule: "E-70", message: `Publisher Model \`${route.resource}\` not found.`, status: "NOT_FOUND" };
  }
  const where = `API version ${route.apiVersion}, or is not supported for ${verbInTexts(route.verb)}`;
  const advice = "Call ModelService.ListModels to see the list of available models and their supported methods.";
  return { rule: "E-70", message: `${route.resource} is not found for ${where}. ${advice}`, status: "NOT_FOUND" };
}

/** To the catalog, streaming is the same method; reading a model is treated like generating with it. */
function verbInTexts(verb: string): string {
  if (verb === "batchEmbedContents") return "embedContent";
  return verb === "streamGenerateContent" || verb === "get" ? "generateContent" : verb;
}

function retired(model: ModelFacts, route: Route, profile: Profile): Problem | undefined {
  if (model.state === "shut") return unknownModel(route, profile);
  if (model.state !== "closed") return undefined;
  if (profile === "comet") return unknownModel(route, profile);
  const message = `This model ${route.resource} is no longer available to new users. Please update your code to use models/gemini-3.6-flash, and consider the Interactions API.`;
  return { rule: "E-71", message, status: "NOT_FOUND" };
}
