import { passThrough } from "../durable/journal.ts";
import { READS_SINCE } from "../durable/run-log.ts";
import type { RunBuiltIn } from "../grounding/delegate.ts";
import { steadyClock, whenAborted } from "../internal/abort.ts";
import { isObject, present } from "../internal/json.ts";
import { bindLogger, type Logger } from "../logging/logger.ts";
import type { RunEvent } from "../loop/events.ts";
import type { Guardrails } from "../loop/guardrails.ts";
import { checkLimits, lowestLimits, withDefaults } from "../loop/limits.ts";
import type { LoopInput, OutputPlan } from "../loop/loop-input.ts";
import {
  ALL_RUNS,
  callersContext,
  findEnabled,
  type Observer,
  OBSERVERS,
  type Within,
} from "../loop/observers/observer.ts";
import type { RunContext, RunIdentity } from "../tool/run-context.ts";
import { runLoop } from "../loop/run-loop.ts";
import { RunState } from "../loop/run-state.ts";
import { RunReporter, type RunReporterOptions } from "../loop/run-reporter.ts";
import { checkParts } from "../loop/turn/check-partial.ts";
import { checkCompaction } from "../loop/turn/compaction.ts";
import { foldTurns } from "../loop/turn/closed-turns.ts";
import type { HistoryOrigin } from "../model/history/import-history.ts";
import type { Model } from "../model/model.ts";
import { asOf, checkPrices, requirePrices } from "../model/usage.ts";
import type { OpenedRun, SessionHost, SessionRun } from "../session/runs/session-host.ts";
import { addRead } from "../tool/reads.ts";
import type { AnyTool } from "../tool/tool.ts";
import type { Content } from "../wire/types/content.ts";
import {
  type AgentHead,
  buildHead,
  headAsSent,
  listTools,
  makeInstructions,
  modelFinder,
  prepareTurns,
} from "./agent-head.ts";
import { type Follower, Followers, type TakenOver } from "./followers.ts";
import { type RunInside, runsInside, summarizer } from "./nested-run.ts";
import type { AgentOptions, AnyRunOptions, RunPlan } from "./options.ts";
import { describeOutput, planOutput } from "./output.ts";
import { overrideOptions } from "./read-options.ts";
import { buildContents, readMessage } from "./run-input.ts";

/** Opens an agent's runs: combines the agent's options with a run's and passes them to the loop. */
export class AgentRuns implements Follower<AgentRuns> {
  readonly model: Model;
  readonly name: string;
  /** The agent's options. */
  readonly options: AgentOptions;
  readonly #logger: Logger;
  readonly #modelFor: (model: string | Model) => Model;
  readonly #inside: RunInside;
  readonly #ask: RunBuiltIn;
  /** Contents that other models than the agent's wrote, by conversation. */
  readonly #foreign: WeakMap<object, Map<Content, HistoryOrigin>> = new WeakMap();
  /** Runs of sessions that are described but not open yet, by their options. */
  readonly #described: WeakMap<AnyRunOptions, BegunRun> = new WeakMap();

  constructor(options: AgentOptions, model: Model, logger: Logger) {
    this.options = options;
    this.model = model;
    this.name = options.name ?? "agent";
    this.#logger = logger;
    this.#modelFor = modelFinder(options, model, logger);
    this.#inside = runsInside(options, (plan, run) => this.open(plan, run));
    this.#ask = (builtIn, prompt, context) => this.#inside(buildContents(prompt), [builtIn], context);
  }

  /** @param others - Agents that may lead its sessions, in addition to the targets of handoffs. */
  sessionHost(others: readonly AgentRuns[] = []): SessionHost<AnyRunOptions> {
    const { model } = this;
    let followers: Followers<AgentRuns> | undefined;
    const find = (name: string): AgentRuns | undefined =>
      (followers ??= new Followers<AgentRuns>(this, undefined, others)).find(name);
    const host: SessionHost<AnyRunOptions> = {
      model,
      origin: model.origin ?? { endpoint: model.id, family: model.capabilities.family },
      agent: this.name,
      logger: this.#logger,
      lead: (agent) => (agent === this.name ? host : (find(agent)?.sessionHost() ?? host)),
      requirePrices: (limit) => requirePrices(limit, this.options.prices, model.id),
      check: (options) => {
        const plan = this.plan(options);
        // A client may have sent them: refuse a tool that the run can't have before anything is stored.
        if (options.extraTools !== undefined) this.head(plan);
      },
      describe: (options, run) => {
        const begun = (options.output ?? this.options.output) && this.#begin(this.plan(options), this.#identify(run));
        if (begun !== undefined) this.#described.set(options, begun);
        return {
          ...(this.#guardrails(options)?.input !== undefined && { guarded: true }),
          ...(begun?.output !== undefined && { output: begun.output.native ? "native" : "converted" }),
        };
      },
      checkPartial: (parts, { options, turn, ...run }) => {
        const { context } = options;
        const about = { identity: this.#identify(run), context, guardrails: this.#guardrails(options) };
        return checkParts(about, parts, turn);
      },
      findTool: (name, run) => {
        const tool = this.tools(run).find((one) => one.name === name);
        return tool?.kind === "function" ? { tool, context: run?.options.context } : undefined;
      },
      open: (run) => this.open(this.plan(run.options), run),
      recall: async (run) => {
        const { recallRun } = await import("../loop/recall-run.ts");
        const { options, runId, contents, historyLength, compaction, emitters } = run;
        const state = new RunState(runId, contents);
        state.compaction = compaction;
        addRead(state.read, ...run.read);
        const { output = this.options.output } = options;
        const parse = output && describeOutput(output).parse;
        return await recallRun(
          { identity: this.#identify(run), model, emit: emitters?.emit, historyLength, parse },
          state,
          run,
        );
      },
      callersContext: () => this.callersContext(),
    };
    return host;
  }

  /** The context of the current caller, as the agent's observers capture it. */
  callersContext(): Within | undefined {
    const observers = this.#observers();
    return observers === undefined ? undefined : callersContext(observers, this.#logger);
  }

  /** @throws {ConfigurationError} When the options cannot work. */
  plan(options: AnyRunOptions): RunPlan {
    const combined = overrideOptions(this.options, options);
    const settings = present(combined.settings ?? {});
    this.model.check(settings);
    const limits = withDefaults(combined.limits);
    checkLimits(limits);
    const { prices, compaction, metadata } = combined;
    if (prices !== undefined) checkPrices(prices);
    checkCompaction(compaction);
    if (metadata !== undefined && !isObject(metadata)) throw new TypeError("metadata must be a JSON object");
    if (limits.cost !== undefined) requirePrices("limits.cost", prices, this.model.id);
    return { ...combined, settings, limits };
  }

  /** @param about - Absent for a check of the agent: tools that depend on a run are left out. */
  head(plan: RunPlan, about?: RunContext): AgentHead {
    return buildHead(plan, this.model, this.#ask, about);
  }

  /** {@link AgentRuns.head} with instructions, for a request that is not part of a run. */
  async headAlone(plan: RunPlan): Promise<AgentHead> {
    const about = this.#aboutAlone(plan, { runId: crypto.randomUUID() });
    return await makeInstructions(this.head(plan, about), plan, about);
  }

  /** The tools of a run that is about to continue; without a run, only the tools that need none. */
  tools(run: Parameters<SessionHost<AnyRunOptions>["findTool"]>[1]): readonly AnyTool[] {
    if (run === undefined) return listTools(this.options, undefined);
    const { options, ...identity } = run;
    return listTools(overrideOptions(this.options, options), this.#aboutAlone(options, identity));
  }

  open(plan: RunPlan, run: OpenRun): OpenedRun {
    const { contents, emitters, conversation, options, interrupted, runId = plan.runId ?? crypto.randomUUID() } = run;
    const isStored = run.sessionId !== undefined;
    const identity = this.#identify(isStored ? { ...run, runId } : { runId, metadata: plan.metadata });
    const described = options && this.#described.get(options);
    if (options !== undefined) this.#described.delete(options);
    const isDescribed = described?.about.runId === runId;
    const { about, abort, head, output } = isDescribed ? described : this.#begin(plan, identity);
    const { signal } = abort;
    const stopListening = whenAborted(plan.signal, () => abort.abort(plan.signal?.reason));
    const planned = this.#planned(plan, head, identity);
    const { guardrails, preparer } = planned;
    // For a run that continues, the session's log decides.
    const checksInput = run.checksInput ?? guardrails?.input !== undefined;
    // The message begins after the model's last content.
    const answered = contents.findLastIndex(({ role }) => role === "model") + 1;
    const historyLength = run.historyLength ?? (checksInput ? answered : contents.length - 1);
    const state = new RunState(runId, contents, run.onPartial, this.#foreign.get(conversation));
    const { prices } = plan;
    const isMade = typeof plan.instructions === "function";
    const sent = isMade ? head : headAsSent(head);
    const steps = (plan.steps ?? run.steps ?? passThrough<RunEvent>)({ runId, signal, emit: emitters?.emitLive });
    const now = plan.rehearsal?.now ?? steadyClock();
    const bound = bindLogger(this.#logger, identity);
    const reporter = this.#reporter(plan, run, { identity, signal, prices, now, logger: bound });
    const logger = reporter?.logger ?? bound;
    let followers: Followers<AgentRuns> | undefined;
    const input: LoopInput = {
      ...planned,
      takeOver: (handover) => {
        followers ??= new Followers<AgentRuns>(this, { input, listed: head.listed });
        return followers.takeOver(handover, options ?? {}, state);
      },
      identity,
      context: plan.context,
      steps: reporter?.steps(steps) ?? steps,
      openTurns: state.openTurns,
      closedTurns: run.turns,
      emit: reporter?.emit ?? emitters?.emit,
      observed: reporter,
      beforeEnd: run.beforeEnd,
      signal,
      historyLength,
      conversation,
      parent: plan.parent,
      instructions: sent.instructions,
      toolset: sent.toolset,
      output: output && run.output === "converted" ? { ...output, native: false } : output,
      session: run.session,
      ownerBudget: run.ownerBudget,
      steering: run.steering ?? steps.steering,
      logger,
      now,
      isReading: run.mode === "read",
      isTrusting: run.mode === "read" && Number(run.loop) < READS_SINCE,
    };
    // A run that is only read from its log calls no model, unless it is rehearsed.
    const loop =
      !isMade || (run.mode === "read" && plan.rehearsal === undefined)
        ? () => runLoop(input, state)
        : async () => {
            const made = await makeInstructions(head, plan, about, state);
            return await runLoop({ ...input, ...headAsSent(made) }, state);
          };
    const read = run.read ?? readMessage(contents, plan) ?? [];
    if (read.length > 0) addRead(state.read, ...read);
    if (checksInput) state.unchecked = state.contents.splice(historyLength);
    if (preparer !== undefined) this.#foreign.set(conversation, state.foreign);
    state.steeringCursor = run.steeringCursor ?? 0;
    state.compaction = run.compaction;
    Object.assign(state, asOf(prices));
    if (isStored) foldTurns(state, run.turns ?? [], run.lost ?? [], input);
    if (interrupted !== undefined) {
      const { place, attempt, guarded, parts } = interrupted;
      state.partial.begin(place, guarded && "shown");
      state.partial.attempt = attempt;
      state.partial.add(parts);
    }
    return {
      run: () => (reporter === undefined ? loop() : reporter.run(loop, state)),
      soFar: () => state.soFar(),
      state,
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

  /** The part of a loop's input that the agent's options decide. */
  #planned(plan: RunPlan, head: AgentHead, identity: RunIdentity) {
    const { settings, limits, prices, compaction, stopWhen = [], hooks = {}, approve, rehearsal } = plan;
    const { runId, metadata } = identity;
    const prepareTurn = hooks.prepareTurn?.bind(hooks);
    return {
      model: this.model,
      settings,
      toolChoice: head.toolChoice,
      limits,
      prices,
      compaction: compaction
        ? {
            options: compaction,
            windowTokens: compaction.windowTokens ?? this.model.capabilities.inputTokenLimit,
            summarize: summarizer(this.#inside, compaction.instructions, { metadata, prices, rehearsal, runId }),
          }
        : undefined,
      stopWhen,
      hooks,
      guardrails: usedGuardrails(plan.guardrails),
      preparer: prepareTurn && prepareTurns(prepareTurn, head, { modelFor: this.#modelFor, ask: this.#ask }),
      approve: rehearsal?.approve ?? approve,
      rehearsal,
      afterUntrusted: this.options.afterUntrusted,
    } satisfies Partial<LoopInput>;
  }

  /** The input with which this agent continues another agent's run. @param options - The run's. */
  async takeOver(run: LoopInput, options: AnyRunOptions, state: RunState): Promise<TakenOver> {
    const { context, signal } = run;
    const identity = { ...run.identity, agent: this.name };
    const plan = this.plan(options);
    const about = { ...identity, context, signal };
    const head = this.head(plan, about);
    const made =
      run.isReading === true && plan.rehearsal === undefined ? head : await makeInstructions(head, plan, about, state);
    const planned = this.#planned(plan, head, identity);
    const input = {
      ...run,
      ...planned,
      ...headAsSent(made),
      identity,
      author: run.author ?? run.model,
      // This agent's default limits don't bound a run that another agent began.
      limits: lowestLimits(planned.limits, run.limits, { ...this.options.limits, ...options.limits }),
      output: plan.output && planOutput(plan.output, this.model, head),
      logger: bindLogger(run.logger, { agent: this.name }),
    };
    return { input, listed: head.listed };
  }

  /** This agent as it continues another agent's runs: with that agent's output and observers too, and its prices if this one has none. */
  following({ output, observers = [], prices }: AgentOptions): AgentRuns {
    const own = overrideOptions(this.options, {});
    const all = [...new Set([...observers, ...(own.observers ?? [])])];
    return new AgentRuns({ ...own, output, observers: all, prices: own.prices ?? prices }, this.model, this.#logger);
  }

  #identify({ runId, sessionId, metadata }: Omit<RunIdentity, "agent">): RunIdentity {
    return present({ runId, agent: this.name, sessionId, metadata });
  }

  #aboutAlone(
    { context, signal = new AbortController().signal }: AnyRunOptions,
    identity: Omit<RunIdentity, "agent">,
  ): RunContext {
    return { ...identity, agent: this.name, context, signal };
  }

  #begin(plan: RunPlan, identity: RunIdentity): BegunRun {
    const abort = new AbortController();
    const about = { ...identity, context: plan.context, signal: abort.signal };
    const head = this.head(plan, about);
    return { about, abort, head, output: plan.output && planOutput(plan.output, this.model, head) };
  }

  #guardrails(options: AnyRunOptions): Guardrails | undefined {
    return usedGuardrails(options.guardrails ?? this.options.guardrails);
  }

  /** The enabled observers; undefined, at no cost, when there are none. */
  #observers(): readonly Observer[] | undefined {
    const { observers = [] } = this.options;
    return observers.length === 0 && !ALL_RUNS[OBSERVERS]?.size ? undefined : findEnabled(observers);
  }

  /** Undefined when events reach the reader, if any, unchanged. A run that is only read from its log is not observed. */
  #reporter(
    { parent, steps }: RunPlan,
    { mode = "begin", resumedFrom, sessionId, emitters }: OpenRun,
    about: Pick<RunReporterOptions, "identity" | "signal" | "prices" | "logger" | "now">,
  ): RunReporter | undefined {
    const observers = mode === "read" ? undefined : this.#observers();
    if (observers === undefined && (mode === "begin" || emitters === undefined)) return undefined;
    const { id, origin, endpointKind } = this.model;
    return new RunReporter({
      ...about,
      emit: emitters?.emit,
      about: present({ model: id, endpoint: origin?.endpoint, endpointKind, parent }),
      observers,
      mode,
      resumedFrom,
      runsOn: steps !== undefined ? "engine" : sessionId !== undefined ? "journal" : "memory",
    });
  }
}

/** Omits empty lists; undefined when nothing is checked. */
function usedGuardrails({ input = [], output = [], streaming }: Guardrails = {}): Guardrails | undefined {
  if (input.length + output.length === 0) return undefined;
  return { ...(input.length > 0 && { input }), ...(output.length > 0 && { output }), streaming };
}

/** A run and its head, which is built once, because the tools may be made for this run. */
interface BegunRun {
  readonly about: RunContext;
  readonly abort: AbortController;
  readonly head: AgentHead;
  readonly output: OutputPlan | undefined;
}

/** A run to open. In memory it has only what is required. */
type OpenRun = Partial<SessionRun<AnyRunOptions>> &
  Pick<SessionRun<AnyRunOptions>, "contents" | "conversation" | "emitters">;

/** Abort reason for tools and requests that are still running when a run ends. */
const RUN_OVER = new DOMException("the run is over", "AbortError");
