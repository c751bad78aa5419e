import { passThrough } from "../durable/journal.ts";
import { steadyClock, whenAborted } from "../internal/abort.ts";
import { isObject } from "../internal/json.ts";
import { bindLogger, type Logger } from "../logging/logger.ts";
import type { RunEvent } from "../loop/events.ts";
import type { Guardrails } from "../loop/guardrails.ts";
import { checkLimits, DEFAULT_LIMITS, type Limits, within } from "../loop/limits.ts";
import type { CompactionPlan, LoopInput, OutputPlan } from "../loop/loop-input.ts";
import { ALL_RUNS, callersContext, findEnabled, OBSERVERS, type Within } from "../loop/observers/find-observers.ts";
import type { Observer } from "../loop/observers/observer.ts";
import type { RunContext, RunIdentity } from "../loop/run-context.ts";
import { recallRun } from "../loop/recall-run.ts";
import type { RunResult } from "../loop/result.ts";
import { runLoop } from "../loop/run-loop.ts";
import { RunState } from "../loop/run-state.ts";
import { RunReporter, type RunReporterOptions } from "../loop/run-reporter.ts";
import type { RunEmitters } from "../loop/run-stream.ts";
import { checkParts } from "../loop/turn/check-partial.ts";
import { checkCompaction, type Compaction } from "../loop/turn/compaction.ts";
import { describeTurns, foldTurns } from "../loop/turn/closed-turns.ts";
import type { HistoryOrigin } from "../model/history/import-history.ts";
import type { Model } from "../model/model.ts";
import type { ModelSettings } from "../model/settings.ts";
import { asOf, checkPrices, requirePrices } from "../model/prices.ts";
import type { OpenedRun, RecalledRun, SessionHost, SessionRun } from "../session/runs/session-host.ts";
import { findArgumentProblem } from "../tool/pending-call.ts";
import type { ParentRun } from "../tool/tool.ts";
import type { Content } from "../wire/types/content.ts";
import { HeadBuilder, headAsSent, makeInstructions } from "./agent-head.ts";
import { NestedRuns } from "./nested-run.ts";
import { type AgentOptions, type AnyRunOptions, pickSettings, type RunOptions } from "./options.ts";
import { describeOutput, planOutput } from "./output.ts";
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
  /** By their options: runs of sessions that were described, and are not open yet. */
  readonly #described: WeakMap<AnyRunOptions, BegunRun> = new WeakMap();

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
      agent: this.#name,
      logger: this.#logger,
      requirePrices: (limit) => requirePrices(limit, this.#options.prices, model.id),
      check: (options) => {
        const { settings } = this.prepare(options);
        // They may be a client's: one that the run can't have is refused before anything is stored.
        if (options.extraTools !== undefined) this.heads.build(options, settings);
      },
      describe: (options, run) => {
        const begun = options.output && this.#begin(options, this.#identify(run), this.prepare(options).settings);
        if (begun !== undefined) this.#described.set(options, begun);
        return {
          ...(this.#guardrails(options)?.input !== undefined && { guarded: true }),
          ...(begun?.output !== undefined && { output: begun.output.native ? "native" : "converted" }),
        };
      },
      checkPartial: (parts, { options, turn, ...run }) => {
        const { context } = options;
        return checkParts(
          { identity: this.#identify(run), context, guardrails: this.#guardrails(options) },
          parts,
          turn,
        );
      },
      findArgumentProblem: async ({ name }, args, run) => {
        const tool = this.heads.listKnown(run).find((one) => one.name === name);
        return tool?.kind === "function" ? await findArgumentProblem(tool, args) : undefined;
      },
      open: (session) => this.open({ ...session, session, ...this.prepare(session.options) }),
      recall: (run) => this.#recall(run),
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
    if (prices !== undefined) checkPrices(prices);
    checkCompaction(options.compaction ?? this.#options.compaction);
    if (options.metadata !== undefined && !isObject(options.metadata))
      throw new TypeError("metadata must be a JSON object");
    if (limits.cost !== undefined) requirePrices("limits.cost", prices, this.model.id);
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
    const runId = session?.runId ?? options.runId ?? crypto.randomUUID();
    const identity = this.#identify(session ?? { runId, metadata: options.metadata });
    const { about, abort, head, mixed, listed, output } = this.#begin(options, identity, run.settings);
    this.#described.delete(options);
    const { signal } = abort;
    const stopListening = whenAborted(options.signal, () => abort.abort(options.signal?.reason));
    const guardrails = this.#guardrails(options);
    // The log of a session says it of a run that goes on.
    const checksInput = session?.checksInput ?? guardrails?.input !== undefined;
    const historyLength = session?.historyLength ?? (checksInput ? messageStart(contents) : contents.length - 1);
    const state = new RunState(runId, contents, session?.onPartial, this.#foreign.get(run.conversation));
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
    const reporter = this.#reporter(run, { identity, signal, prices, now, logger: bound });
    const logger = reporter?.logger ?? bound;
    const input: LoopInput = {
      identity,
      context: options.context,
      model: this.model,
      steps: reporter?.steps(steps) ?? steps,
      openTurns: state.openTurns,
      closedTurns: session?.turns,
      emit: reporter?.emit ?? run.emitters?.emit,
      observed: reporter,
      beforeEnd: session?.beforeEnd,
      signal,
      historyLength,
      conversation: run.conversation,
      instructions: sent.instructions,
      toolset: sent.toolset,
      settings: run.settings,
      toolChoice: head.toolChoice,
      output: output && session?.output === "converted" ? { ...output, native: false } : output,
      limits: run.limits,
      session: session?.limits === undefined ? undefined : { limits: session.limits, before: session.spentBefore },
      ownerBudget: session?.ownerBudget,
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
      isReading: session?.mode === "read",
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
    state.pricesAsOf = prices && asOf(prices).pricesAsOf;
    if (session !== undefined) foldTurns(state, session.turns ?? [], session.lost ?? [], input);
    if (session?.interrupted !== undefined) {
      const { place, attempt, guarded, parts } = session.interrupted;
      state.partial.begin(place, guarded && "shown");
      state.partial.attempt = attempt;
      state.partial.add(parts);
    }
    return {
      run: () => (reporter === undefined ? loop() : reporter.run(loop, state)),
      soFar: () => state.soFar(),
      spent: () => state.spent(),
      openTurns: () => describeTurns(state),
      lost: () => state.lost,
      partial: () => state.partial,
      traceparent: () => reporter?.traceparent,
      cancelCall: (callId) => state.cancelCall(callId),
      abort: (reason) => abort.abort(reason),
      aborted: () => signal.aborted,
      release: () => {
        stopListening();
        abort.abort(RUN_OVER);
      },
    };
  }

  #recall(run: RecalledRun<AnyRunOptions>): Promise<RunResult<unknown>> {
    const { options, runId, contents, historyLength, compaction, emitters } = run;
    const state = new RunState(runId, contents);
    state.compaction = compaction;
    const parse = options.output && describeOutput(options.output).parse;
    const about = { identity: this.#identify(run), model: this.model, emit: emitters?.emit, historyLength, parse };
    return recallRun(about, state, run);
  }

  #identify({ runId, sessionId, metadata }: Omit<RunIdentity, "agent">): RunIdentity {
    return {
      runId,
      agent: this.#name,
      ...(sessionId !== undefined && { sessionId }),
      ...(metadata !== undefined && { metadata }),
    };
  }

  get #name(): string {
    return this.#options.name ?? "agent";
  }

  #begin(options: AnyRunOptions, identity: RunIdentity, settings: ModelSettings): BegunRun {
    const described = this.#described.get(options);
    if (described?.about.runId === identity.runId) return described;
    const abort = new AbortController();
    const about = { ...identity, context: options.context, signal: abort.signal };
    const built = this.heads.build(options, settings, about);
    return { about, abort, ...built, output: options.output && planOutput(options.output, this.model, built.mixed) };
  }

  /** Undefined when nothing is checked. */
  #guardrails(options: AnyRunOptions): Guardrails | undefined {
    const { input = [], output = [], streaming } = options.guardrails ?? this.#options.guardrails ?? {};
    if (input.length + output.length === 0) return undefined;
    return { ...(input.length > 0 && { input }), ...(output.length > 0 && { output }), streaming };
  }

  /** Calls nothing of theirs when there are none. */
  #observers(): readonly Observer[] | undefined {
    const { observers = [] } = this.#options;
    return observers.length === 0 && !ALL_RUNS[OBSERVERS]?.size ? undefined : findEnabled(observers);
  }

  /** Absent when the reader's queue, if there is one, gets all events as they are. A run that is only read again is not observed. */
  #reporter(
    { options, session, emitters }: OpenRun,
    run: Pick<RunReporterOptions, "identity" | "signal" | "prices" | "logger" | "now">,
  ): RunReporter | undefined {
    const { mode = "begin", resumedFrom } = session ?? {};
    const observers = mode === "read" ? undefined : this.#observers();
    if (observers === undefined && (mode === "begin" || emitters === undefined)) return undefined;
    const { id, origin, endpointKind } = this.model;
    return new RunReporter({
      ...run,
      about: {
        model: id,
        ...(origin !== undefined && { endpoint: origin.endpoint }),
        ...(endpointKind !== undefined && { endpointKind }),
        ...(options.parent !== undefined && { parent: options.parent }),
      },
      emit: emitters?.emit,
      observers,
      mode,
      resumedFrom,
      runsOn: options.steps !== undefined ? "engine" : session !== undefined ? "journal" : "memory",
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
      summarize: this.#nested.summarizer(compaction.instructions, identity, options.prices),
    };
  }
}

/** Where the message begins that the model has not answered yet. */
function messageStart(contents: readonly Content[]): number {
  return contents.findLastIndex(({ role }) => role === "model") + 1;
}

/** A run, and what precedes its contents: its tools may be made for it, once. */
interface BegunRun extends ReturnType<HeadBuilder["build"]> {
  readonly about: RunContext;
  readonly abort: AbortController;
  readonly output: OutputPlan | undefined;
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
