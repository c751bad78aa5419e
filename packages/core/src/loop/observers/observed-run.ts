import { lastTraceparent } from "../../durable/journal.ts";
import { findRecorded, isRunSuspended, type Outcome, type Step, type Steps } from "../../durable/steps.ts";
import { isObject } from "../../internal/json.ts";
import { parseTraceparent, type TraceIds } from "../../internal/traceparent.ts";
import { bindLogger, type Logger } from "../../logging/logger.ts";
import type { PriceTable } from "../../model/usage.ts";
import type { Emit, RunEvent } from "../events.ts";
import { describeStep, describeValue, type Fact, ObservedStep } from "./observed-step.ts";
import type {
  LoopStep,
  Observation,
  ObservedCall,
  Observer,
  RunEndObservation,
  RunInfo,
  StepExecutor,
} from "./observer.ts";
import { ObserverGroup } from "./observer-group.ts";
import type { RunResult } from "../result.ts";
import type { RunState } from "../run-state.ts";

/** What an {@link ObservedRun} needs of its run. */
export interface ObservedRunOptions {
  /** At least one. */
  readonly observers: readonly Observer[];
  readonly info: RunInfo;
  /** The run began earlier. */
  readonly resumed: boolean;
  /** The `traceparent` under which it was last executed, if that is known before its steps are read again. */
  readonly resumedFrom: string | undefined;
  /** What executes its steps. An engine may end the run here and continue it later. */
  readonly runsOn: "memory" | "journal" | "engine";
  readonly signal: AbortSignal;
  readonly prices: PriceTable | undefined;
  /** Its lines have the identity of the run. */
  readonly logger: Logger;
  /** Milliseconds since the epoch, from a clock that never jumps during the run. */
  readonly now: () => number;
}

/**
 * Reports a run to its observers, from the events that it emits and the steps that it executes. What happens between two steps is
 * held back until the next one is executed here, and dropped when that one turns out to be recorded.
 */
export class ObservedRun implements StepExecutor {
  readonly #options: ObservedRunOptions;
  readonly #observers: ObserverGroup;
  readonly #startedAt: number;
  /** For lines outside its steps. */
  readonly logger: Logger;
  /** Made with the first observation, when it is known what came before. */
  #info: RunInfo | undefined;
  #resumedFrom: string | undefined;
  #traceparent: string | undefined;
  #traceIds: TraceIds | undefined;
  #seq = 0;
  #resumed: boolean;
  #isStarted = false;
  /** The turn whose start was reported, until its end is. */
  #turn: number | undefined;
  /** The last operation was executed here, so what follows happens here too. */
  #isLive = false;
  #held: Fact[] = [];
  /** A step of the current round was executed here. */
  #hasExecuted = false;
  /** The engine has ended the run here. */
  #isStopped = false;

  constructor(options: ObservedRunOptions) {
    this.#options = options;
    this.logger = bindLogger(options.logger, () => this.#traceIds ?? NO_FACTS);
    this.#observers = new ObserverGroup(options.observers, this.logger);
    this.#resumed = options.resumed;
    this.#resumedFrom = options.resumedFrom;
    this.#startedAt = options.now();
  }

  async run(run: () => Promise<RunResult<unknown>>, state: RunState): Promise<RunResult<unknown>> {
    try {
      const result = await run();
      this.#end(state, { ended: "result", result });
      return result;
    } catch (error) {
      const { aborted } = this.#options.signal;
      this.#end(state, { ended: aborted ? "aborted" : this.#isStopped ? "stopped" : "failed", error });
      throw error;
    }
  }

  /** W3C `traceparent` of the run, once it has started here and an observer gave one. */
  get traceparent(): string | undefined {
    return this.#traceparent;
  }

  /** Passes the run's own events on, and reports them. */
  events(emit: Emit | undefined): Emit {
    return (event) => {
      this.#addEvent(event);
      return emit?.(event);
    };
  }

  /** The same steps; finds rounds that were answered without executing anything. */
  steps(steps: Steps<RunEvent>): Steps<RunEvent> {
    const { runId, steering, children } = steps;
    return {
      runId,
      steering,
      children,
      recorded: (name) => findRecorded(steps, name),
      round: async (ops) => {
        this.#hasExecuted = false;
        try {
          const outcomes = await steps.round(ops);
          if (!this.#hasExecuted) this.#skipRound(outcomes);
          return outcomes;
        } catch (error) {
          // Its questions are asked by this process.
          if (isRunSuspended(error)) this.#flush();
          this.#isStopped = this.#options.runsOn === "engine";
          throw error;
        }
      },
    };
  }

  execute<T>(
    name: string,
    step: Step<RunEvent>,
    work: (step: LoopStep) => Promise<T>,
    call: ObservedCall | undefined,
  ): Promise<T> {
    const startedAt = this.#options.now();
    this.#hasExecuted = true;
    this.#isLive = true;
    this.#flush();
    const { now, prices } = this.#options;
    const info = describeStep(this.#run, name, step, startedAt, call);
    const observed = new ObservedStep(info, now, (fact) => this.#report(fact));
    this.#report({ type: "step-start", at: startedAt, step: info });
    const tap = this.#observers.tap(info, now);
    const live = { ...observed.watch(step, this.#observers.traceparentOf(info)), ...(tap !== undefined && { tap }) };
    return this.#observers.around(info, async () => {
      try {
        const value = await work(live);
        observed.end({ ok: true, ...describeValue(info, value, prices) });
        return this.#recorded(value);
      } catch (error) {
        observed.end({ ok: false, error });
        throw error;
      }
    });
  }

  /** What a step records: where that is kept, whoever resumes the run finds its trace there. */
  #recorded<T>(value: T): T {
    const traceparent = this.#traceparent;
    if (traceparent === undefined || this.#options.runsOn === "memory") return value;
    return isObject(value) && "endedAt" in value ? { ...value, traceparent } : value;
  }

  #addEvent(event: RunEvent): void {
    const { type } = event;
    const at = this.#options.now();
    if (type === "turn-start" || type === "turn-end") this.#endTurn(at);
    if (
      type !== "turn-start" &&
      type !== "compact" &&
      type !== "recover" &&
      type !== "tool-pending" &&
      type !== "guardrail"
    )
      return;
    const fact = { at, ...event };
    if (this.#isLive) this.#report(fact);
    else this.#held.push(fact);
  }

  /** The round executed nothing here: what was held back before it happened elsewhere. */
  #skipRound(outcomes: readonly Outcome[]): void {
    this.#isLive = false;
    if (!this.#isStarted) {
      this.#resumed = true;
      if (this.#options.resumedFrom === undefined) this.#resumedFrom = lastTraceparent(outcomes) ?? this.#resumedFrom;
    }
    this.#held = this.#held.filter(({ type }) => type === "turn-start");
  }

  #flush(): void {
    this.#start();
    const held = this.#held;
    this.#held = [];
    for (const fact of held) this.#report(fact);
  }

  #start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#report({ type: "run-start", at: this.#startedAt, resumed: this.#resumed });
    this.#traceparent = this.#observers.traceparentOf(this.#run);
    this.#traceIds = parseTraceparent(this.#traceparent);
  }

  #endTurn(at: number): void {
    this.#held = [];
    if (this.#turn !== undefined) this.#report({ type: "turn-end", at, turn: this.#turn });
  }

  #end(state: RunState, how: Pick<RunEndObservation, "ended" | "result" | "error">): void {
    // Its engine only read it again here.
    if (how.ended === "stopped" && !this.#isStarted) return;
    const at = this.#options.now();
    // Calls that an abort interrupted have not been settled, but what runs inside them used is spent.
    const { turns, usage, cost } = state.spentInside(0);
    this.#endTurn(at);
    this.#start();
    this.#report({
      type: "run-end",
      at,
      startedAt: this.#startedAt,
      ...how,
      turns,
      usage,
      ...(this.#options.prices !== undefined && { cost }),
    });
  }

  get #run(): RunInfo {
    return (this.#info ??= Object.freeze({
      ...this.#options.info,
      ...(this.#resumed && this.#resumedFrom !== undefined && { resumedFrom: this.#resumedFrom }),
    }));
  }

  #report(fact: Fact): void {
    if (fact.type === "turn-start") this.#turn = fact.turn;
    if (fact.type === "turn-end") this.#turn = undefined;
    // A fact lacks exactly these two.
    const observation = Object.freeze({ ...fact, run: this.#run, seq: this.#seq++ }) as Observation;
    this.#observers.report(observation);
  }
}

const NO_FACTS = {};
