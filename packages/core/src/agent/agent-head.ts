import { ConfigurationError } from "../errors/agent-error.ts";
import { type MixedTools, mixTools, type RunBuiltIn } from "../grounding/delegate.ts";
import { abortable } from "../internal/abort.ts";
import { fingerprint, isObject } from "../internal/json.ts";
import type { OutputPlan, PrepareTurn, ToolChoice, TurnPreparer } from "../loop/loop-input.ts";
import { attachRunSoFar } from "../loop/result.ts";
import type { RunContext } from "../tool/run-context.ts";
import type { RunState } from "../loop/run-state.ts";
import { callingFor, checkToolChoice, unknownName } from "../loop/turn/prepare-turn.ts";
import type { CacheRequest, Model, ModelRequest } from "../model/model.ts";
import type { CacheHolds, CacheRef } from "../model/resources/caches.ts";
import { getCacheName, type ModelSettings } from "../model/settings.ts";
import type { AnyTool } from "../tool/tool.ts";
import type { CallSignal } from "../wire/client-options.ts";
import type { Content } from "../wire/types/content.ts";
import type { AnyRunOptions, GivenContext, AgentOptions } from "./options.ts";
import type { Logger } from "../logging/logger.ts";
import { gemini } from "../model/gemini-model.ts";
import { checkTurnChanges } from "./read-options.ts";

/** Options of `createCache()`. */
export interface CreateCacheOptions<Context = unknown> extends Omit<CacheRequest, "request">, CallSignal {
  /** The context for `instructions` and `tools` that are functions. */
  readonly context?: GivenContext<Context> | undefined;
}

/** What precedes the contents in an agent's requests. */
export interface AgentHead extends MixedTools {
  readonly modelId: string;
  /** Undefined until the function that makes them is called. */
  readonly instructions: string | undefined;
  readonly settings: ModelSettings;
  readonly toolChoice: ToolChoice;
  /** The tools as given. */
  readonly listed: readonly AnyTool[];
}

type ToolOptions = Pick<AnyRunOptions, "tools" | "extraTools">;

/** @param about - Absent when there is no run: tools that depend on one are left out. */
export function buildHead(
  plan: ToolOptions & Pick<AnyRunOptions, "instructions" | "toolChoice"> & Pick<AgentHead, "settings">,
  model: Model,
  ask: RunBuiltIn,
  about: RunContext | undefined,
): AgentHead {
  const { instructions, tools, toolChoice = "auto", settings } = plan;
  const listed = listTools(plan, about);
  const mixed = mixTools(listed, model.capabilities, ask);
  if (toolChoice !== "auto" && (about !== undefined || typeof tools !== "function"))
    checkToolChoice(
      toolChoice,
      mixed.toolset.functions.map(({ name }) => name),
    );
  return {
    ...mixed,
    modelId: model.id,
    instructions: typeof instructions === "function" ? undefined : instructions,
    settings,
    toolChoice,
    listed,
  };
}

/** The tools of a run. */
export function listTools({ tools = [], extraTools }: ToolOptions, about: RunContext | undefined): readonly AnyTool[] {
  let own = tools;
  // A function that takes the run cannot be called without one.
  if (typeof own === "function" && (about !== undefined || own.length === 0)) own = own(about as RunContext);
  const listed = typeof own === "function" ? [] : checkTools(own, "tools");
  return extraTools === undefined ? listed : [...listed, ...checkTools(extraTools, "extraTools")];
}

/** @throws {TypeError} For anything but a list of tools. */
function checkTools(tools: readonly AnyTool[], option: "tools" | "extraTools"): readonly AnyTool[] {
  if (!Array.isArray(tools))
    throw new TypeError(
      `${option} must be a list, in which each tool has its own name: ${option}: [getWeather, googleSearch()]`,
    );
  const at = tools.findIndex(
    (tool: unknown) => !isObject(tool) || (tool["kind"] !== "function" && tool["kind"] !== "built-in"),
  );
  if (at < 0) return tools;
  throw new TypeError(
    `${option}[${at}] is not a tool: use defineTool() for a function, googleSearch() for the service's own, agent.asTool() for an agent, and await a promise`,
  );
}

/**
 * The head with its instructions, made by the function if there is one.
 *
 * @throws {TypeError} For anything but a text; and what the function throws. The error carries the run so far.
 */
export async function makeInstructions(
  head: AgentHead,
  { instructions }: Pick<AnyRunOptions, "instructions">,
  about: RunContext,
  state?: RunState,
): Promise<AgentHead> {
  if (typeof instructions !== "function") return head;
  try {
    const text: unknown = await abortable(Promise.resolve(instructions(about)), about.signal);
    if (typeof text === "string") return { ...head, instructions: text };
    throw new TypeError(`instructions: the function must return a string, got ${typeof text}`);
  } catch (error) {
    if (state !== undefined) attachRunSoFar(error, state.soFar());
    throw error;
  }
}

/** The first request of a run with this head. */
export function buildFirstRequest(
  { instructions, toolset, settings, toolChoice }: Omit<AgentHead, "modelId" | "delegates" | "listed">,
  contents: readonly Content[],
  output: OutputPlan | undefined,
): ModelRequest {
  return {
    instructions,
    contents,
    functions: toolset.functions,
    builtIns: toolset.builtIns,
    calling: callingFor(toolChoice, true),
    output: output?.native === true ? { schema: output.schema } : undefined,
    settings,
  };
}

/**
 * The head as it is sent: without instructions and declarations if the settings name a cache that contains them. Tools stay callable.
 *
 * @throws {ConfigurationError} When the cache has expired, or is not for this model, these instructions or these tools.
 */
export function headAsSent(head: AgentHead): Pick<AgentHead, "instructions" | "toolset"> {
  const { instructions, toolset, modelId } = head;
  const { cachedContent: cache } = head.settings;
  if (cache === undefined) return { instructions, toolset };
  const name = getCacheName(cache);
  const { model, expireTime, holds }: Partial<CacheRef> = typeof cache === "string" ? {} : cache;
  if (expireTime !== undefined && Date.parse(expireTime) <= Date.now())
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

/** Identifies what a cache of this head contains. */
export function describeHeld({ modelId, instructions = "", toolset, settings }: AgentHead): CacheHolds {
  const { functions, builtIns } = toolset;
  const { location, streamFunctionCallArguments } = settings;
  return {
    modelId,
    fingerprint: fingerprint([instructions, functions, builtIns, location, streamFunctionCallArguments]),
  };
}

/** The preparer of a run's turns: carries out what `prepareTurn` changes. */
export function prepareTurns(
  prepareTurn: PrepareTurn,
  { toolset, listed }: Pick<AgentHead, "toolset" | "listed">,
  { modelFor, ask }: { readonly modelFor: (model: string | Model) => Model; readonly ask: RunBuiltIn },
): TurnPreparer {
  // Tools as given and as sent.
  const byName = new Map<string, AnyTool>([...toolset.byName, ...listed.map((tool) => [tool.name, tool] as const)]);
  return {
    prepareTurn,
    modelFor,
    toolsetFor: (tools, { capabilities }) => {
      const chosen = tools.map((tool) => {
        if (typeof tool !== "string") return tool;
        const known = byName.get(tool);
        if (known === undefined) throw unknownName("prepareTurn", tool, new Set(byName.keys()));
        return known;
      });
      // A stand-in needs the tools behind it, and they need it.
      if (marked(chosen, "standsIn").length > 0) chosen.push(...marked(listed, "undeclared"));
      else if (marked(chosen, "undeclared").length > 0) chosen.push(...marked(listed, "standsIn"));
      return mixTools(chosen, capabilities, ask, byName.values()).toolset;
    },
    settingsIn: (changes) => {
      checkTurnChanges(changes);
      return changes.settings ?? {};
    },
  };
}

function marked(tools: readonly AnyTool[], mark: "standsIn" | "undeclared"): readonly AnyTool[] {
  return tools.filter((tool) => tool.kind === "function" && tool[mark] === true);
}

/** Finds the models that `prepareTurn` names; each is made once. */
export function modelFinder(
  { model: own, endpoint }: AgentOptions,
  agentModel: Model,
  logger: Logger,
): (model: string | Model) => Model {
  const models = new Map([[agentModel.id, agentModel]]);
  return (model) => {
    if (typeof model !== "string") return model;
    const known = models.get(model);
    if (known !== undefined) return known;
    if (typeof own !== "string")
      throw new ConfigurationError(
        `prepareTurn chose "${model}", but the agent was given a model object, whose endpoint is its own: return gemini("${model}", …).`,
      );
    const made = gemini(model, { endpoint, logger });
    models.set(model, made);
    return made;
  };
}
