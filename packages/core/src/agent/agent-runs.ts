import { passThrough } from "../durable/journal.ts";
import { ConfigurationError } from "../errors/agent-error.ts";
import { RunStepError } from "../errors/run-errors.ts";
import { type MixedTools, mixTools, type RunBuiltIn } from "../grounding/delegate.ts";
import { steadyClock } from "../internal/abort.ts";
import { bindLogger, type Logger } from "../logging/logger.ts";
import { checkCompaction, type Compaction } from "../loop/turn/compaction.ts";
import type { RunEvent, RunIdentity } from "../loop/events.ts";
import { checkLimits, DEFAULT_LIMITS, type Limits, within } from "../loop/limits.ts";
import type { CompactionPlan, LoopInput } from "../loop/loop-input.ts";
import { withoutServerTools } from "../loop/turn/model-turn.ts";
import { ObservedRun, type ObservedRunOptions } from "../loop/observed-run.ts";
import type { RunInfo } from "../loop/observer.ts";
import type { RunResult } from "../loop/result.ts";
import { runLoop } from "../loop/run-loop.ts";
import { RunState } from "../loop/run-state.ts";
import { type RunEmitters, RunStream } from "../loop/run-stream.ts";
import { userText } from "../loop/transcript.ts";
import type { Model } from "../model/model.ts";
import { checkPrices } from "../model/usage.ts";
import type { ModelSettings } from "../model/settings.ts";
import type { OpenedRun, SessionHost, SessionRun } from "../session/session-host.ts";
import { SUMMARY_REQUEST } from "../tool/model-texts.ts";
import type { BuiltInTool, NestedRun, ParentRun, ParentStep } from "../tool/tool.ts";
import type { Content } from "../wire/types/content.ts";
import { type AgentHead, omitCached } from "./agent-cache.ts";
import { attachNested, nestedSignal } from "./agent-tool.ts";
import { type AgentOptions, type AnyRunOptions, type RunOptions, pickSettings, type SharedOptions } from "./options.ts";
import { planOutput } from "./output.ts";
import { buildContents } from "./run-input.ts";

/** Opens an agent's runs: combines the agent's options with those of a run and passes them to the loop. */
export class AgentRuns {
  readonly model: Model;
  readonly #options: AgentOptions;
  readonly #settings: ModelSettings;
  readonly #logger: Logger;
  /** Runs a built-in tool alone, for models that do not accept it beside functions. */
  readonly #ask: RunBuiltIn = async (builtIn, prompt, context) => {
    const attach = (run: NestedRun): void => context.attach(run);
    return await this.#runNested(buildContents(prompt), [builtIn], context.signal, attach, context.parent?.step);
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
      open: (session) => this.open({ ...session, session, ...this.prepare(session.options) }),
    };
  }

  prepare(options: AnyRunOptions): { readonly settings: ModelSettings; readonly limits: Limits } {
    const settings = { ...this.#settings, ...pickSettings(options) };
    this.model.check(settings);
    const limits = { ...DEFAULT_LIMITS, ...this.#options.limits, ...options.limits };
    checkLimits(limits);
    const prices = options.prices ?? this.#options.prices;
    checkPrices(prices);
    checkCompaction(options.compaction ?? this.#options.compaction);
    if (limits.cost !== undefined && prices === undefined)
      throw new ConfigurationError("limits.cost requires prices: pass a price table to the agent.");
    return { settings, limits };
  }

  /** @see {@link NestedAgent.nestedRunOptions} */
  nestedRunOptions(parent: ParentRun | undefined): Pick<RunOptions, "limits" | "prices" | "approve" | "parent"> {
    const { limits, prices, approve } = this.#options;
    return {
      limits: within({ ...limits }, parent?.remaining ?? {}),
      prices: prices ?? parent?.prices,
      approve: approve ?? parent?.approve,
      parent: parent?.step,
    };
  }

  open(run: OpenRun): OpenedRun {
    const { options, contents, session } = run;
    const abort = new AbortController();
    const stopListening = follow(options.signal, abort);
    const runId = session?.runId ?? options.runId ?? crypto.randomUUID();
    const { signal } = abort;
    const historyLength = session?.historyLength ?? contents.length - 1;
    const state = new RunState(runId, contents, session?.onPartial);
    const { head, mixed } = this.buildHead(options, run.settings);
    const sent = omitCached(head, Date.now());
    const steps = (options.steps ?? session?.steps ?? passThrough<RunEvent>)({
      runId,
      signal,
      emit: run.emitters?.emitLive,
    });
    const prices = options.prices ?? this.#options.prices;
    const now = steadyClock();
    const observed = this.#observe(run, { runId, signal, prices, now });
    const identity: RunIdentity = {
      runId,
      agent: this.#options.name ?? "agent",
      ...(session !== undefined && { sessionId: session.sessionId }),
    };
    const input: LoopInput = {
      identity,
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
      compaction: this.#compactionPlan(options, runId),
      stopWhen: options.stopWhen ?? this.#options.stopWhen ?? [],
      hooks: options.hooks ?? this.#options.hooks ?? {},
      approve: options.approve ?? this.#options.approve,
      steering: session?.steering ?? steps.steering,
      concurrency: this.#options.concurrency ?? 8,
      maxRepeats: this.#options.maxRepeats ?? 3,
      maxRestarts: this.#options.maxRestarts ?? 2,
      maxRequestsPerTurn: this.#options.maxRequestsPerTurn ?? 100,
      logger: bindLogger(this.#logger, identity),
      now,
    };
    state.steeringCursor = session?.steeringCursor ?? 0;
    state.compaction = run.compaction;
    if (session?.interrupted !== undefined) {
      state.partial.begin(session.interrupted.step);
      state.partial.add(session.interrupted.parts);
    }
    return {
      run: () => (observed === undefined ? runLoop(input, state) : observed.run(() => runLoop(input, state), state)),
      soFar: () => state.soFar(),
      spent: () => state.spent(),
      historyLength,
      partial: () => state.partial,
      abort: (reason) => abort.abort(reason),
      aborted: () => signal.aborted,
      release: () => {
        stopListening();
        abort.abort(RUN_OVER);
      },
    };
  }

  buildHead(options: SharedOptions, settings: ModelSettings): { readonly head: AgentHead; readonly mixed: MixedTools } {
    const mixed = mixTools(options.tools ?? this.#options.tools ?? [], this.model.capabilities, this.#ask);
    const head: AgentHead = {
      modelId: this.model.id,
      instructions: options.instructions ?? this.#options.instructions,
      toolset: mixed.toolset,
      settings,
      toolChoice: options.toolChoice ?? this.#options.toolChoice ?? "auto",
    };
    return { head, mixed };
  }

  /** A replayed run is not observed. */
  #observe(
    { options, session }: OpenRun,
    { runId, signal, prices, now }: Pick<ObservedRunOptions, "signal" | "prices" | "now"> & Pick<RunInfo, "runId">,
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
        ...(options.parent !== undefined && { parent: options.parent }),
      },
      resumed: session?.mode === "resume",
      onEngine: options.steps !== undefined,
      signal,
      prices,
      logger: this.#logger,
      now,
    });
  }

  #compactionPlan(options: AnyRunOptions, runId: string): CompactionPlan | undefined {
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
          { runId, step },
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
    parent: ParentStep | undefined,
  ): Promise<RunResult<unknown>> {
    const { prices } = this.#options;
    const options: RunOptions = {
      tools,
      instructions: "",
      signal: nestedSignal(outer),
      hooks: {},
      stopWhen: [],
      prices,
      compaction: false,
      parent,
    };
    const settings = { ...this.#settings, cachedContent: undefined }; // the cache contains the agent's own tools
    const run = new RunStream<unknown>((emitters) =>
      this.open({ contents, options, settings, limits: DEFAULT_LIMITS, conversation: {}, emitters }),
    );
    return await attachNested(run.result(), attach);
  }
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
