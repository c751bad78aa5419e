import type { GenerateContentRequest } from "@pollux/core/wire";
import type { ModelFacts } from "../catalog/model-facts.ts";
import { readBody } from "./body.ts";
import { configProblem } from "./config.ts";
import { contentFieldProblems, withParts } from "./contents.ts";
import { scopeOf, surfaceOf } from "./contract.ts";
import { declarationFieldProblems } from "./declarations.ts";
import { mediaProblem } from "./media.ts";
import { type Problem, problem } from "./problem.ts";
import { resolveModel, type Route, unknownModel } from "./route.ts";
import { bodySizeProblem, windowProblem } from "./size.ts";
import type { Subject } from "./subject.ts";
import { resolveSwitches } from "./switches.ts";
import { toolProblem } from "./tools.ts";
import type { CachedPrompt, ValidateOptions } from "./types.ts";

/** A valid cached content to create. */
export interface JudgedCache {
  readonly model: ModelFacts;
  readonly modelName: string;
  readonly displayName: string | undefined;
  readonly request: CachedPrompt["request"];
  /** Undefined if the request doesn't set it. */
  readonly expiresAt: Date | undefined;
}

type Problems = readonly [Problem, ...Problem[]];

/** Validates the body of a request that creates a cached content. */
export function judgeCachedContent(
  body: string,
  apiVersion: string,
  options: ValidateOptions,
  now: Date,
): JudgedCache | Problems {
  const { profile } = options;
  const switches = resolveSwitches(options.strict);
  const surface = surfaceOf(profile, switches);
  const oversized = bodySizeProblem(body, switches.maxBodyBytes, surface);
  if (oversized) return [oversized];
  const read = readBody(body, "CachedContent", scopeOf({ apiVersion }, profile, surface, switches));
  if (!("raw" in read)) return read;
  // The fields have been checked against the descriptor of this very message.
  const {
    model: modelName = "",
    displayName,
    contents = [],
    systemInstruction,
    tools,
    toolConfig,
    ...rest
  } = read.value as Partial<GenerateContentRequest> & { model?: string; displayName?: string } & Expiry;
  const modelId = (profile === "vertex" ? VERTEX_MODEL : DEVELOPER_MODEL).exec(modelName)?.[1];
  if (modelId === undefined) {
    return [problem("C-3", "* CreateCachedContentRequest.cached_content.model: unexpected model name format")];
  }
  const route: Route = { apiVersion, modelId, resource: modelName, verb: "createCachedContent", sse: false };
  const model = resolveModel(route, profile, switches);
  if ("rule" in model) return [model];
  const isGuess = switches.explicitCaches === "accept" && /carbon|neon/.test(model.id);
  if (!model.generates || !(model.explicitCaches || isGuess)) return [unknownModel(route, profile)];
  const expiry = expiryOf(rest, now);
  if (expiry !== undefined && "rule" in expiry) return [expiry];
  const request = {
    contents: withParts(contents).map((content) =>
      content.role === "model" ? content : { ...content, role: "user" as const },
    ),
    ...(systemInstruction && { systemInstruction }),
    ...(tools && { tools }),
    ...(toolConfig && { toolConfig }),
  };
  const found = promptProblems({
    request,
    model,
    operation: "generateContent",
    profile,
    surface,
    switches,
    signatures: options.signatures,
  });
  return found ?? { model, modelName, displayName, request, expiresAt: expiry?.expiresAt };
}

/** Validates the body of a request that changes a cached content: only its expiry can change. */
export function judgeCachePatch(
  body: string,
  apiVersion: string,
  { profile, strict }: ValidateOptions,
  now: Date,
): { readonly expiresAt: Date } | Problems {
  const switches = resolveSwitches(strict);
  const scope = scopeOf({ apiVersion }, profile, surfaceOf(profile, switches), switches);
  const read = readBody(body, "CachedContent", scope);
  if (!("raw" in read)) return read;
  const fixed = Object.keys(read.value).filter((key) => key !== "ttl" && key !== "expireTime" && key !== "name");
  if (fixed.length > 0) {
    return [problem("C-3", `Only ttl and expire_time of a cached content can be updated, not ${fixed.join(", ")}.`)];
  }
  const expiry = expiryOf(read.value, now) ?? problem("C-3", "Either ttl or expire_time must be set.");
  return "rule" in expiry ? [expiry] : expiry;
}

interface Expiry {
  readonly ttl?: string;
  readonly expireTime?: string;
}

const DEVELOPER_MODEL = /^models\/([^/]+)$/;
const VERTEX_MODEL = /^(?:projects\/[^/]+\/locations\/[^/]+\/)?publishers\/[^/]+\/models\/([^/]+)$/;

function expiryOf({ ttl, expireTime }: Expiry, now: Date): { readonly expiresAt: Date } | Problem | undefined {
  if (ttl !== undefined && expireTime !== undefined) {
    const message =
      "Invalid value at 'cached_content' (oneof), oneof field 'expiration' is already set. Cannot set 'expireTime'";
    return { rule: "C-3", message, field: "cached_content" };
  }
  if (ttl === undefined && expireTime === undefined) return undefined;
  const expiresAt =
    ttl === undefined ? new Date(expireTime ?? "") : new Date(now.getTime() + Number(ttl.slice(0, -1)) * 1000);
  return expiresAt > now ? { expiresAt } : problem("C-3", "A cached content must expire in the future.");
}

function promptProblems(subject: Subject): Problems | undefined {
  const { contents } = subject.request;
  const fields = [...(contents.length > 0 ? contentFieldProblems(subject) : []), ...declarationFieldProblems(subject)];
  const single = toolProblem(subject) ?? configProblem(subject) ?? mediaProblem(subject) ?? windowProblem(subject);
  const [first, ...rest] = (fields.length > 0 ? fields : single ? [single] : []).map((item) => ({
    ...item,
    message: item.message.replaceAll("GenerateContentRequest.", "CreateCachedContentRequest.cached_content."),
  }));
  return first && [first, ...rest];
}
