import { type MixedTools, mixTools, type RunBuiltIn } from "../grounding/delegate.ts";
import { abortable } from "../internal/abort.ts";
import type { OutputPlan } from "../loop/loop-input.ts";
import { attachRunSoFar } from "../loop/result.ts";
import type { RunContext } from "../loop/run-context.ts";
import type { RunState } from "../loop/run-state.ts";
import { callingFor, checkToolChoice } from "../loop/turn/tool-choice.ts";
import type { Model, ModelRequest } from "../model/model.ts";
import type { ModelSettings } from "../model/settings.ts";
import type { AnyTool } from "../tool/tool.ts";
import type { Content } from "../wire/types/content.ts";
import { type AgentHead, omitCached } from "./agent-cache.ts";
import { notTools } from "./check-options.ts";
import type { AgentOptions, AnyRunOptions } from "./options.ts";

/** Builds the heads of an agent's requests: from its own options, and those of a run. */
export class HeadBuilder {
  readonly #options: AgentOptions;
  readonly #model: Model;
  readonly #ask: RunBuiltIn;

  /** @param ask - Runs a built-in tool alone, for models that do not accept it beside functions. */
  constructor(options: AgentOptions, model: Model, ask: RunBuiltIn) {
    this.#options = options;
    this.#model = model;
    this.#ask = ask;
  }

  /**
   * What precedes the contents; without the instructions if a function makes them.
   *
   * @param about - Absent for a check of the agent: tools that depend on a run are left out.
   */
  build(
    options: Pick<AnyRunOptions, "instructions" | "tools" | "extraTools" | "toolChoice">,
    settings: ModelSettings,
    about?: RunContext,
  ): { readonly head: AgentHead; readonly mixed: MixedTools; readonly listed: readonly AnyTool[] } {
    const { instructions = this.#options.instructions, tools = this.#options.tools ?? [] } = options;
    const { toolChoice = this.#options.toolChoice ?? "auto" } = options;
    const listed = this.#list(options, about);
    const mixed = mixTools(listed, this.#model.capabilities, this.#ask);
    if (toolChoice !== "auto" && (about !== undefined || typeof tools !== "function"))
      checkToolChoice(toolChoice, mixed.toolset.byName.keys());
    const head: AgentHead = {
      modelId: this.#model.id,
      instructions: typeof instructions === "function" ? undefined : instructions,
      toolset: mixed.toolset,
      settings,
      toolChoice,
    };
    return { head, mixed, listed };
  }

  /** {@link HeadBuilder.build} with instructions, for a request that is not part of a run. */
  async buildAlone(
    options: Pick<AnyRunOptions, "instructions" | "tools" | "extraTools" | "toolChoice" | "context" | "signal">,
    settings: ModelSettings,
  ): Promise<{ readonly head: AgentHead; readonly mixed: MixedTools }> {
    const { context, signal = new AbortController().signal } = options;
    const about = { runId: crypto.randomUUID(), agent: this.#options.name ?? "agent", context, signal };
    const { head, mixed } = this.build(options, settings, about);
    const { instructions = this.#options.instructions } = options;
    if (typeof instructions !== "function") return { head, mixed };
    return { head: { ...head, instructions: await makeInstructions(instructions, about) }, mixed };
  }

  /** The tools of a run that is about to go on; those that need no run without one. */
  listKnown(
    run: { readonly options: AnyRunOptions; readonly runId: string; readonly sessionId: string } | undefined,
  ): readonly AnyTool[] {
    if (run === undefined) return this.#list({}, undefined);
    const { options, runId, sessionId } = run;
    const { context, signal = new AbortController().signal } = options;
    return this.#list(options, { runId, sessionId, agent: this.#options.name ?? "agent", context, signal });
  }

  #list(
    { tools = this.#options.tools ?? [], extraTools }: Pick<AnyRunOptions, "tools" | "extraTools">,
    about: RunContext | undefined,
  ): readonly AnyTool[] {
    const listed = listTools(tools, about);
    return extraTools === undefined ? listed : [...listed, ...checkTools(extraTools, "extraTools")];
  }
}

/**
 * The head as it is sent: without instructions and declarations if the settings name a cache that contains them. Tools stay
 * callable either way.
 *
 * @param now - Milliseconds since the epoch.
 * @throws {ConfigurationError} When the cache has expired, or is not for this model, these instructions or these tools.
 */
export function headAsSent(head: AgentHead, now: number): Pick<AgentHead, "instructions" | "toolset"> {
  const { instructions, toolset, settings } = head;
  const { cachedContent } = settings;
  return cachedContent === undefined ? { instructions, toolset } : omitCached(head, cachedContent, now);
}

/**
 * Calls the function that makes a run's instructions.
 *
 * @throws {TypeError} For anything but a text; whatever the function throws. The error has what the run had done.
 */
export async function makeInstructions(
  make: (about: RunContext) => string | Promise<string>,
  about: RunContext,
  state?: RunState,
): Promise<string> {
  try {
    const text: unknown = await abortable(Promise.resolve(make(about)), about.signal);
    if (typeof text === "string") return text;
    throw new TypeError(`instructions: the function must return a string, got ${typeof text}`);
  } catch (error) {
    if (state !== undefined) attachRunSoFar(error, state.soFar());
    throw error;
  }
}

/** The tools of a run. A function that takes the run cannot be called without one. */
function listTools(tools: NonNullable<AnyRunOptions["tools"]>, about: RunContext | undefined): readonly AnyTool[] {
  if (typeof tools !== "function") return checkTools(tools);
  if (about !== undefined) return checkTools(tools(about));
  return tools.length === 0 ? checkTools((tools as () => readonly AnyTool[])()) : [];
}

function checkTools(tools: readonly AnyTool[], option: "tools" | "extraTools" = "tools"): readonly AnyTool[] {
  if (Array.isArray(tools) && tools.every((tool) => tool?.kind === "function" || tool?.kind === "built-in"))
    return tools;
  throw notTools(tools, option);
}

/** The first request of a run with this head. */
export function buildFirstRequest(
  { instructions, toolset, settings, toolChoice }: Omit<AgentHead, "modelId">,
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
