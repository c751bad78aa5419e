import { passThrough } from "../durable/journal.ts";
import { ConfigurationError } from "../errors/agent-error.ts";
import { RunStepError } from "../errors/run-errors.ts";
import { type MixedTools, mixTools, type RunBuiltIn } from "../grounding/delegate.ts";
import { abortable, steadyClock } from "../internal/abort.ts";
import { isObject } from "../internal/json.ts";
import { bindLogger, type Logger } from "../logging/logger.ts";
import { checkCompaction, type Compaction } from "../loop/turn/compaction.ts";
import type { RunEvent, RunIdentity } from "../loop/events.ts";
import type { Guardrails } from "../loop/guardrails.ts";
import { checkLimits, DEFAULT_LIMITS, type Limits, within } from "../loop/limits.ts";
import type { CompactionPlan, LoopInput, RunContext } from "../loop/loop-input.ts";
import { withoutServerTools } from "../loop/turn/model-turn.ts";
import { ObservedRun, type ObservedRunOptions } from "../loop/observed-run.ts";
import type { RunInfo } from "../loop/observer.ts";
import { attachRunSoFar, type RunResult } from "../loop/result.ts";
import { runLoop } from "../loop/run-loop.ts";
import { RunState } from "../loop/run-state.ts";
import { type RunEmitters, RunStream } from "../loop/run-stream.ts";
import { checkToolChoice, unknownName } from "../loop/tool-choice.ts";
import { userText } from "../loop/transcript.ts";
import { turnPreparer, type TurnPreparer } from "../loop/turn/prepare-turn.ts";
import { gemini } from "../model/gemini-model.ts";
import type { HistoryOrigin } from "../model/history/import-history.ts";
import type { Model } from "../model/model.ts";
import { checkPrices } from "../model/usage.ts";
import type { ModelSettings } from "../model/settings.ts";
import type { OpenedRun, SessionHost, SessionRun } from "../session/session-host.ts";
import { SUMMARY_REQUEST } from "../tool/model-texts.ts";
import { findArgumentProblem } from "../tool/edited-args.ts";
import type { AnyTool, BuiltInTool, NestedRun, ParentRun } from "../tool/tool.ts";
import type { Toolset } from "../tool/toolset.ts";
import type { Content } from "../wire/types/content.ts";
import { type AgentHead, omitCached } from "./agent-cache.ts";
import { attachNested, nestedSignal } from "./agent-tool.ts";
import { notTools } from "./check-options.ts";
import {
  type AgentOptions,
  type AnyRunOptions,
  pickChangedSettings,
  pickSettings,
  type RunOptions,
} from "./options.ts";
import { planOutput } from "./output.ts";
import { buildContents } from "./run-input.ts";

/** Opens an agent's runs: combines the agent's options with those of a run and passes them to the loop. */
export class AgentRuns {
  readonly model: Model;
  readonly #options: AgentOptions;
  readonly #settings: ModelSettings;
  readonly #logger: Logger;
  /** Models that `prepareTurn` named, by id. */
  readonly #models: Map<string, Model> = new Map();
  /** By conversation: contents of other models than the agent's. */
  readonly #foreign: WeakMap<object, Map<Content, HistoryOrigin>> = new WeakMap();
  /** Runs a built-in tool alone, for models that do not accept it beside functions. */
  readonly #ask: RunBuiltIn = async (builtIn, prompt, context) => {
    const attach = (run: NestedRun): void => context.attach(run);
    return await this.#runNested(buildContents(prompt), [builtIn], context.signal, attach, context.parent);
  };

  constructor(options: AgentOptions, model: Model, settings: ModelSettings, logger: Logger) {
    this.#options = options;
    this.model = model;
    this.#settings = settings;
    this.#logger = logger;
  }

  sessionHost(): SessionHost<AnyRunOptions> {
    const { model } = this;
    return {
      model,
      origin: model.origin ?? { endpoint: model.id, family: model.capabilities.family },
      logger: this.#logger,
      check: (options) => void this.prepare(options),
      checksInput: (options) => this.#guardrails(options)?.input !== undefined,
      findArgumentProblem: async ({ name }, args, run) => {
        const { tools = this.#options.tools ?? [] } = run?.options ?? {};
        const tool = this.#knownTools(tools, run).find((one) => one.name === name);
        return tool?.kind === "function" ? await findArgumentProblem(tool, args) : undefined;
      },
      open: (session) => this.open({ ...session, session, ...this.prepare(session.options) }),
    };
  }

  /** The tools of a run that is about to go on; those that need no run without one. */
  #knownTools(
    tools: NonNullable<AnyRunOptions["tools"]>,
    run: { readonly options: AnyRunOptions; readonly runId: string; readonly sessionId: string } | undefined,
  ): readonly AnyTool[] {
    if (run === undefined) return listTools(tools, undefined);
    const { options, runId, sessionId } = run;
    const { context, signal = new AbortController().signal } = options;
    return listTools(tools, { runId, sessionId, agent: this.#options.name ?? "agent", context, signal });
  }

  prepare(options: AnyRunOptions): { readonly settings: ModelSettings; readonly limits: Limits } {
    const settings = { ...this.#settings, ...pickSettings(options) };
    this.model.check(settings);
    const limits = { ...DEFAULT_LIMITS, ...this.#options.limits, ...options.limits };
    checkLimits(limits);
    const prices = options.prices ?? this.#options.prices;
    checkPrices(prices);
    checkCompaction(options.compaction ?? this.#options.compaction);
    if (options.metadata !== undefined && !isObject(options.metadata))
      throw new TypeError("metadata must be a JSON object");
    if (limits.cost !== undefined && prices === undefined)
      throw new ConfigurationError("limits.cost requires prices: pass a price table to the agent.");
    return { settings, limits };
  }

  /** @see {@link NestedAgent.nestedRunOptions} */
  nestedRunOptions(
    parent: ParentRun | undefined,
  ): Pick<RunOptions, "limits" | "prices" | "approve" | "parent" | "metadata"> {
    const { limits, prices, approve } = this.#options;
    return {
      limits: within({ ...limits }, parent?.remaining ?? {}),
      prices: prices ?? parent?.prices,
      approve: approve ?? parent?.approve,
      parent: parent?.step,
      metadata: parent?.metadata,
    };
  }

  open(run: OpenRun): OpenedRun {
    const { options, contents, session } = run;
    const abort = new AbortController();
    const stopListening = follow(options.signal, abort);
    const runId = session?.runId ?? options.runId ?? crypto.randomUUID();
    const { signal } = abort;
    const guardrails = this.#guardrails(options);
    const checksInput = guardrails?.input !== undefined;
    const historyLength = session?.historyLength ?? (checksInput ? messageStart(contents) : contents.length - 1);
    const state = new RunState(runId, contents, session?.onPartial, this.#foreign.get(run.conversation));
    const metadata = session === undefined ? options.metadata : session.metadata;
    const identity: RunIdentity = {
      runId,
      agent: this.#options.name ?? "agent",
      ...(session !== undefined && { sessionId: session.sessionId }),
      ...(metadata !== undefined && { metadata }),
    };
    const about: RunContext = { ...identity, context: options.context, signal };
    const { head, mixed, listed } = this.buildHead(options, run.settings, about);
    const { instructions = this.#options.instructions } = options;
    const makes = typeof instructions === "function" ? instructions : undefined;
    const sent = makes === undefined ? omitCached(head, Date.now()) : head;
    const steps = (options.steps ?? session?.steps ?? passThrough<RunEvent>)({
      runId,
      signal,
      emit: run.emitters?.emitLive,
    });
    const prices = options.prices ?? this.#options.prices;
    const now = steadyClock();
    const logger = bindLogger(this.#logger, identity);
    const observed = this.#observe(run, { runId, signal, prices, now, metadata, logger });
    const input: LoopInput = {
      identity,
      context: options.context,
      model: this.model,
      steps: observed?.steps(steps) ?? steps,
      emit: observed?.events(run.emitters?.emit) ?? run.emitters?.emit,
      observed,
      beforeEnd: session?.beforeEnd,
      signal,
      historyLength,
      conversation: run.conversation,
      instructions: sent.instructions,
      toolset: sent.toolset,
      settings: run.settings,
      toolChoice: head.toolChoice,
      output: options.output === undefined ? undefined : planOutput(options.output, this.model, mixed),
      limits: run.limits,
      session: session?.limits === undefined ? undefined : { limits: session.limits, before: session.spentBefore },
      prices,
      compaction: this.#compactionPlan(options, identity),
      stopWhen: options.stopWhen ?? this.#options.stopWhen ?? [],
      hooks: options.hooks ?? this.#options.hooks ?? {},
      guardrails,
      preparer: this.#preparer(options, listed, mixed.toolset),
      approve: options.approve ?? this.#options.approve,
      steering: session?.steering ?? steps.steering,
      concurrency: this.#options.concurrency ?? 8,
      maxRepeats: this.#options.maxRepeats ?? 3,
      maxRestarts: this.#options.maxRestarts ?? 2,
      maxRequestsPerTurn: this.#options.maxRequestsPerTurn ?? 100,
      logger,
      now,
    };
    // A run that is only read again asks no model.
    const loop =
      makes === undefined || session?.mode === "read"
        ? () => runLoop(input, state)
        : async () => {
            const made = { ...head, instructions: await makeInstructions(makes, about, state) };
            return await runLoop({ ...input, ...omitCached(made, Date.now()) }, state);
          };
    if (checksInput) state.unchecked = state.contents.splice(historyLength);
    if (input.preparer !== undefined) this.#foreign.set(run.conversation, state.foreign);
    state.steeringCursor = session?.steeringCursor ?? 0;
    state.compaction = run.compaction;
    if (session?.interrupted !== undefined) {
      state.partial.begin(session.interrupted.step);
      state.partial.add(session.interrupted.parts);
    }
    return {
      run: () => (observed === undefined ? loop() : observed.run(loop, state)),
      soFar: () => state.soFar(),
      spent: () => state.spent(),
      historyLength,
      partial: () => state.partial,
      cancelCall: (callId) => state.cancelCall(callId),
      abort: (reason) => abort.abort(reason),
      aborted: () => signal.aborted,
      release: () => {
        stopListening();
        abort.abort(RUN_OVER);
      },
    };
  }

  /**
   * What precedes the contents; without the instructions if a function makes them.
   *
   * @param about - Absent for a check of the agent: tools that depend on a run are left out.
   */
  buildHead(
    options: Pick<AnyRunOptions, "instructions" | "tools" | "toolChoice">,
    settings: ModelSettings,
    about?: RunContext,
  ): { readonly head: AgentHead; readonly mixed: MixedTools; readonly listed: readonly AnyTool[] } {
    const { instructions = this.#options.instructions, tools = this.#options.tools ?? [] } = options;
    const { toolChoice = this.#options.toolChoice ?? "auto" } = options;
    const listed = listTools(tools, about);
    const mixed = mixTools(listed, this.model.capabilities, this.#ask);
    if (toolChoice !== "auto" && (about !== undefined || typeof tools !== "function"))
      checkToolChoice(toolChoice, mixed.toolset.byName.keys());
    const head: AgentHead = {
      modelId: this.model.id,
      instructions: typeof instructions === "function" ? undefined : instructions,
      toolset: mixed.toolset,
      settings,
      toolChoice,
    };
    return { head, mixed, listed };
  }

  /** Carries out what `prepareTurn` changes. */
  #preparer(options: AnyRunOptions, listed: readonly AnyTool[], own: Toolset): TurnPreparer | undefined {
    const prepareTurn = options.prepareTurn ?? this.#options.prepareTurn;
    if (prepareTurn === undefined) return undefined;
    const byName = new Map<string, AnyTool>([...own.byName, ...listed.map((tool) => [tool.name, tool] as const)]);
    return turnPreparer({
      prepareTurn,
      modelFor: (model) => this.#modelFor(model),
      toolsetFor: (tools, { capabilities }) => {
        const chosen = tools.map((tool) => {
          if (typeof tool !== "string") return tool;
          const known = byName.get(tool);
          if (known === undefined) throw unknownName("prepareTurn", tool, new Set(byName.keys()));
          return known;
        });
        return mixTools(chosen, capabilities, this.#ask).toolset;
      },
      settingsIn: pickChangedSettings,
    });
  }

  /** Undefined when nothing is checked. */
  #guardrails(options: AnyRunOptions): Guardrails | undefined {
    const { input = [], output = [], streaming } = options.guardrails ?? this.#options.guardrails ?? {};
    if (input.length + output.length === 0) return undefined;
    return { ...(input.length > 0 && { input }), ...(output.length > 0 && { output }), streaming };
  }

  #modelFor(model: string | Model): Model {
    if (typeof model !== "string") return model;
    if (model === this.model.id) return this.model;
    const { model: own, endpoint, traffic } = this.#options;
    if (typeof own !== "string")
      throw new ConfigurationError(
        `prepareTurn chose "${model}", but the agent was given a model object, whose endpoint is its own: return gemini("${model}", …).`,
      );
    const known = this.#models.get(model) ?? gemini(model, { endpoint, traffic, logger: this.#logger });
    this.#models.set(model, known);
    return known;
  }

  /** {@link buildHead} with instructions, for a request that is not part of a run. */
  async buildHeadAlone(
    options: Pick<AnyRunOptions, "instructions" | "tools" | "toolChoice" | "context" | "signal">,
    settings: ModelSettings,
  ): Promise<{ readonly head: AgentHead; readonly mixed: MixedTools }> {
    const { context, signal = new AbortController().signal } = options;
    const about = { runId: crypto.randomUUID(), agent: this.#options.name ?? "agent", context, signal };
    const { head, mixed } = this.buildHead(options, settings, about);
    const { instructions = this.#options.instructions } = options;
    if (typeof instructions !== "function") return { head, mixed };
    return { head: { ...head, instructions: await makeInstructions(instructions, about) }, mixed };
  }

  /** A replayed run is not observed. */
  #observe(
    { options, session }: OpenRun,
    {
      runId,
      signal,
      prices,
      now,
      metadata,
      logger,
    }: Pick<ObservedRunOptions, "signal" | "prices" | "now" | "logger"> & Pick<RunInfo, "runId" | "metadata">,
  ): ObservedRun | undefined {
    const { observers = [], name = "agent" } = this.#options;
    if (observers.length === 0 || session?.mode === "read") return undefined;
    const { id, origin } = this.model;
    return new ObservedRun({
      observers,
      info: {
        runId,
        agent: name,
        model: id,
        ...(origin !== undefined && { endpoint: origin.endpoint }),
        ...(session !== undefined && { sessionId: session.sessionId }),
        ...(metadata !== undefined && { metadata }),
        ...(options.parent !== undefined && { parent: options.parent }),
      },
      resumed: session?.mode === "resume",
      onEngine: options.steps !== undefined,
      signal,
      prices,
      logger,
      now,
    });
  }

  #compactionPlan(
    options: AnyRunOptions,
    { runId, metadata }: Pick<RunIdentity, "runId" | "metadata">,
  ): CompactionPlan | undefined {
    const compaction = options.compaction ?? this.#options.compaction;
    if (compaction === undefined || compaction === false) return undefined;
    return {
      options: compaction,
      windowTokens: compaction.windowTokens ?? this.model.capabilities.inputTokenLimit,
      summarize: async (contents, { step, signal }, attach) => {
        const request = userText(compaction.instructions ?? SUMMARY_REQUEST);
        const { text, stopReason } = await this.#runNested(
          [...contents.map(withoutServerTools), request],
          [],
          signal,
          attach,
          { step: { runId, step }, metadata },
        );
        if (stopReason !== "finished" || text.trim() === "")
          throw new RunStepError(`the conversation could not be summarized (${stopReason})`, "compact");
        return text;
      },
    };
  }

  /** A run inside a run: the same loop with other tools and no instructions; its cost is added to the outer run. */
  async #runNested(
    contents: readonly Content[],
    tools: readonly BuiltInTool[],
    outer: AbortSignal,
    attach: (run: NestedRun) => void,
    parent: Pick<ParentRun, "step" | "metadata"> | undefined,
  ): Promise<RunResult<unknown>> {
    const { prices } = this.#options;
    const options: AnyRunOptions = {
      tools,
      instructions: "",
      signal: nestedSignal(outer),
      hooks: {},
      prepareTurn: () => undefined,
      guardrails: {},
      stopWhen: [],
      prices,
      compaction: false,
      parent: parent?.step,
      metadata: parent?.metadata,
    };
    const settings = { ...this.#settings, cachedContent: undefined }; // the cache contains the agent's own tools
    const run = new RunStream<unknown>((emitters) =>
      this.open({ contents, options, settings, limits: DEFAULT_LIMITS, conversation: {}, emitters }),
    );
    return await attachNested(run.result(), attach);
  }
}

/** @throws {TypeError} For anything but a text; whatever the function throws. The error has what the run had done. */
async function makeInstructions(
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

function checkTools(tools: readonly AnyTool[]): readonly AnyTool[] {
  if (Array.isArray(tools) && tools.every((tool) => tool?.kind === "function" || tool?.kind === "built-in"))
    return tools;
  throw notTools(tools);
}

/** Where the message begins that the model has not answered yet. */
function messageStart(contents: readonly Content[]): number {
  return contents.findLastIndex(({ role }) => role === "model") + 1;
}

/** A run to open. */
export interface OpenRun {
  readonly contents: readonly Content[];
  readonly options: AnyRunOptions;
  readonly settings: ModelSettings;
  readonly limits: Limits;
  readonly conversation: object;
  /** Receive its events; absent when nobody reads them. */
  readonly emitters: RunEmitters | undefined;
  /** Replaces the oldest contents in requests. */
  readonly compaction?: Compaction | undefined;
  /** The session that stores its steps. */
  readonly session?: SessionRun<AnyRunOptions> | undefined;
}

/** Abort reason for tools and requests that are still running when a run ends. */
const RUN_OVER = new DOMException("the run is over", "AbortError");

/** Aborts `target` with the signal's reason. Returns a function that stops listening. */
function follow(signal: AbortSignal | undefined, target: AbortController): () => void {
  if (signal === undefined) return () => {};
  const onAbort = (): void => target.abort(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return () => signal.removeEventListener("abort", onAbort);
}
