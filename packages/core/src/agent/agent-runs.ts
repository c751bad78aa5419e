import { passThrough } from "../durable/journal.ts";
import { ConfigurationError } from "../errors/agent-error.ts";
import { steadyClock } from "../internal/abort.ts";
import { isObject } from "../internal/json.ts";
import { bindLogger, type Logger } from "../logging/logger.ts";
import { callersContext, type Within } from "../loop/observers/callers-context.ts";
import type { RunEvent } from "../loop/events.ts";
import type { Guardrails } from "../loop/guardrails.ts";
import { checkLimits, DEFAULT_LIMITS, type Limits, within } from "../loop/limits.ts";
import type { CompactionPlan, LoopInput } from "../loop/loop-input.ts";
import { addOwn, ALL_RUNS, filterEnabled, OBSERVERS } from "../loop/observers/observe-all-runs.ts";
import { ObservedRun, type ObservedRunOptions } from "../loop/observers/observed-run.ts";
import type { Observer, RunInfo } from "../loop/observers/observer.ts";
import type { RunContext, RunIdentity } from "../loop/run-context.ts";
import { runLoop } from "../loop/run-loop.ts";
import { RunState } from "../loop/run-state.ts";
import type { RunEmitters } from "../loop/run-stream.ts";
import { checkCompaction, type Compaction } from "../loop/turn/compaction.ts";
import type { HistoryOrigin } from "../model/history/import-history.ts";
import type { Model } from "../model/model.ts";
import type { ModelSettings } from "../model/settings.ts";
import { checkPrices } from "../model/usage.ts";
import type { OpenedRun, SessionHost, SessionRun } from "../session/runs/session-host.ts";
import { findArgumentProblem } from "../tool/edited-args.ts";
import type { ParentRun } from "../tool/tool.ts";
import type { Content } from "../wire/types/content.ts";
import { HeadBuilder, headAsSent, makeInstructions } from "./agent-head.ts";
import { NestedRuns } from "./nested-run.ts";
import { type AgentOptions, type AnyRunOptions, pickSettings, type RunOptions } from "./options.ts";
import { planOutput } from "./output.ts";
import { TurnChanges } from "./turn-changes.ts";

/** Opens an agent's runs: combines the agent's options with those of a run and passes them to the loop. */
export class AgentRuns {
  readonly model: Model;
  readonly heads: HeadBuilder;
  readonly #nested: NestedRuns;
  readonly #changes: TurnChanges;
  readonly #options: AgentOptions;
  readonly #settings: ModelSettings;
  readonly #logger: Logger;
  /** By conversation: contents of other models than the agent's. */
  readonly #foreign: WeakMap<object, Map<Content, HistoryOrigin>> = new WeakMap();

  constructor(options: AgentOptions, model: Model, settings: ModelSettings, logger: Logger) {
    this.#options = options;
    this.model = model;
    this.#settings = settings;
    this.#logger = logger;
    this.#nested = new NestedRuns(options.prices, settings, (run) =>
      this.open({ ...run, limits: DEFAULT_LIMITS, conversation: {} }),
    );
    this.heads = new HeadBuilder(options, model, this.#nested.ask);
    this.#changes = new TurnChanges(options, model, logger, this.#nested.ask);
  }

  sessionHost(): SessionHost<AnyRunOptions> {
    const { model } = this;
    return {
      model,
      origin: model.origin ?? { endpoint: model.id, family: model.capabilities.family },
      agent: this.#options.name ?? "agent",
      logger: this.#logger,
      check: (options) => {
        const { settings } = this.prepare(options);
        // They may be a client's: one that the run can't have is refused before anything is stored.
        if (options.extraTools !== undefined) this.heads.build(options, settings);
      },
      checksInput: (options) => this.#guardrails(options)?.input !== undefined,
      findArgumentProblem: async ({ name }, args, run) => {
        const tool = this.heads.listKnown(run).find((one) => one.name === name);
        return tool?.kind === "function" ? await findArgumentProblem(tool, args) : undefined;
      },
      open: (session) => this.open({ ...session, session, ...this.prepare(session.options) }),
      callersContext: () => this.callersContext(),
    };
  }

  /** The context of whoever requests a run now, as its observers know it. */
  callersContext(): Within | undefined {
    const observers = this.#observers();
    return observers === undefined ? undefined : callersContext(observers, this.#logger);
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
    const { head, mixed, listed } = this.heads.build(options, run.settings, about);
    const { instructions = this.#options.instructions } = options;
    const makes = typeof instructions === "function" ? instructions : undefined;
    const sent = makes === undefined ? headAsSent(head, Date.now()) : head;
    const steps = (options.steps ?? session?.steps ?? passThrough<RunEvent>)({
      runId,
      signal,
      emit: run.emitters?.emitLive,
    });
    const prepareTurn = options.prepareTurn ?? this.#options.prepareTurn;
    const prices = options.prices ?? this.#options.prices;
    const now = steadyClock();
    const bound = bindLogger(this.#logger, identity);
    const observed = this.#observe(run, { runId, signal, prices, now, metadata, logger: bound });
    const logger = observed?.logger ?? bound;
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
      preparer: prepareTurn === undefined ? undefined : this.#changes.preparer(prepareTurn, listed, mixed.toolset),
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
            return await runLoop({ ...input, ...headAsSent(made, Date.now()) }, state);
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
      traceparent: () => observed?.traceparent,
      cancelCall: (callId) => state.cancelCall(callId),
      abort: (reason) => abort.abort(reason),
      aborted: () => signal.aborted,
      release: () => {
        stopListening();
        abort.abort(RUN_OVER);
      },
    };
  }

  /** Undefined when nothing is checked. */
  #guardrails(options: AnyRunOptions): Guardrails | undefined {
    const { input = [], output = [], streaming } = options.guardrails ?? this.#options.guardrails ?? {};
    if (input.length + output.length === 0) return undefined;
    return { ...(input.length > 0 && { input }), ...(output.length > 0 && { output }), streaming };
  }

  /** Those of all runs, and the agent's own, that have a use for a run now; absent when there are none. */
  #observers(): readonly Observer[] | undefined {
    const all = ALL_RUNS[OBSERVERS];
    const { observers = [] } = this.#options;
    if (all === undefined || all.size === 0) return observers.length === 0 ? undefined : filterEnabled(observers);
    return filterEnabled(addOwn(all, observers));
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
    const { name = "agent" } = this.#options;
    const observers = this.#observers();
    if (observers === undefined || session?.mode === "read") return undefined;
    const { id, origin, endpointKind } = this.model;
    return new ObservedRun({
      observers,
      info: {
        runId,
        agent: name,
        model: id,
        ...(origin !== undefined && { endpoint: origin.endpoint }),
        ...(endpointKind !== undefined && { endpointKind }),
        ...(session !== undefined && { sessionId: session.sessionId }),
        ...(metadata !== undefined && { metadata }),
        ...(options.parent !== undefined && { parent: options.parent }),
      },
      resumed: session?.mode === "resume",
      resumedFrom: session?.resumedFrom,
      runsOn: options.steps !== undefined ? "engine" : session !== undefined ? "journal" : "memory",
      signal,
      prices,
      logger,
      now,
    });
  }

  #compactionPlan(
    options: AnyRunOptions,
    identity: Pick<RunIdentity, "runId" | "metadata">,
  ): CompactionPlan | undefined {
    const compaction = options.compaction ?? this.#options.compaction;
    if (compaction === undefined || compaction === false) return undefined;
    return {
      options: compaction,
      windowTokens: compaction.windowTokens ?? this.model.capabilities.inputTokenLimit,
      summarize: this.#nested.summarizer(compaction.instructions, identity),
    };
  }
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
