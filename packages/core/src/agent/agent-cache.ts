import { ConfigurationError } from "../errors/agent-error.ts";
import { fingerprint } from "../internal/json.ts";
import type { ToolChoice } from "../loop/loop-input.ts";
import type { CacheHolds, CacheLife, CacheRef } from "../model/resources/caches.ts";
import { getCacheName, type ModelSettings } from "../model/settings.ts";
import type { Toolset } from "../tool/toolset.ts";
import type { GivenContext } from "./options.ts";

/** How an agent creates a cache. */
export interface CreateCacheOptions<Context = unknown> extends CacheLife {
  /** Shown in lists. */
  readonly displayName?: string | undefined;
  /** For `instructions` and `tools` that are functions. */
  readonly context?: GivenContext<Context> | undefined;
  /** Aborting it ends the call. */
  readonly signal?: AbortSignal | undefined;
}

/** What precedes the contents in an agent's requests. */
export interface AgentHead {
  readonly modelId: string;
  readonly instructions: string | undefined;
  readonly toolset: Toolset;
  readonly settings: ModelSettings;
  readonly toolChoice: ToolChoice;
}

/** Identifies what a cache of this head contains. */
export function describeHeld({ modelId, instructions = "", toolset, settings }: AgentHead): CacheHolds {
  const { functions, builtIns } = toolset;
  const { location, streamFunctionCallArguments } = settings;
  return {
    modelId,
    fingerprint: fingerprint([instructions, functions, builtIns, location, streamFunctionCallArguments]),
  };
}

/**
 * The head without what a cache contains; tools stay callable.
 *
 * @param now - Milliseconds since the epoch.
 * @throws {ConfigurationError} When the cache has expired, or is not for this model, these instructions or these tools.
 */
export function omitCached(
  head: AgentHead,
  cache: CacheRef | string,
  now: number,
): Pick<AgentHead, "instructions" | "toolset"> {
  const { instructions, toolset, modelId } = head;
  const name = getCacheName(cache);
  const { model, expireTime, holds }: Partial<CacheRef> = typeof cache === "string" ? {} : cache;
  if (expireTime !== undefined && Date.parse(expireTime) <= now)
    throw new ConfigurationError(`${name} expired at ${expireTime}: create a new one with agent.createCache().`);
  if (holds === undefined) {
    if (model !== undefined && lastSegment(model) !== lastSegment(modelId)) throw otherModel(name, model, modelId);
    if (instructions || toolset.functions.length > 0 || toolset.builtIns.length > 0)
      throw new ConfigurationError(
        `cachedContent: a request that uses ${name} must not have instructions or tools, because the cache contains its own. Remove them, or use a cache made by this agent's createCache(), which contains them.`,
      );
    return { instructions, toolset };
  }
  if (holds.modelId !== modelId) throw otherModel(name, holds.modelId, modelId);
  if (holds.fingerprint !== describeHeld(head).fingerprint)
    throw new ConfigurationError(
      `${name} was created with different instructions, tools or location than this run uses: create a new one with agent.createCache(), or use the same ones.`,
    );
  if (head.toolChoice !== "auto")
    throw new ConfigurationError(
      `toolChoice cannot be combined with a cache that contains the tools (${name}): remove one of the two.`,
    );
  return { instructions: undefined, toolset: { ...toolset, functions: [], builtIns: [] } };
}

function otherModel(name: string, model: string, modelId: string): ConfigurationError {
  return new ConfigurationError(
    `${name} was created for ${model} and works with no other model: create one for ${modelId}.`,
  );
}

function lastSegment(model: string): string {
  return model.slice(model.lastIndexOf("/") + 1);
}
