import { isRunSuspended, type Step, type Steps } from "../durable/steps.ts";
import {
  type CallStepValue,
  type ModelStepValue,
  parseStepName,
  type PromptTooLong,
  type SteeringStopped,
} from "../durable/run-log.ts";
import type { Logger } from "../logging/logger.ts";
import { computeCost, findPrices, type PriceTable } from "../model/usage.ts";
import type { FunctionCall } from "../wire/types/content.ts";
import { readOutcome } from "./calls/run-call.ts";
import type { Emit, RunEvent } from "./events.ts";
import type {
  LoopStep,
  Observation,
  ObservationBase,
  Observer,
  RunEndObservation,
  RunInfo,
  StepEndObservation,
  StepExecutor,
  StepInfo,
} from "./observer.ts";
import type { RunResult } from "./result.ts";
import type { RunState } from "./run-state.ts";

/** What an {@link ObservedRun} needs of its run. */
export interface ObservedRunOptions {
  /** At least one. */
  readonly observers: readonly Observer[];
  readonly info: RunInfo;
  /** The run began earlier. */
  readonly resumed: boolean;
  /** Its steps are those of an engine, which may end it here and continue it later. */
  readonly onEngine: boolean;
  readonly signal: AbortSignal;
  readonly prices: PriceTable | undefined;
  /** Its lines have the identity of the run. */
  readonly logger: Logger;
  /** Milliseconds since the epoch, from a clock that never jumps during the run. */
  readonly now: () => number;
}

/** An observation without the fields that {@link ObservedRun} adds to all of them. */
type Fact<T = Observation> = T extends unknown ? Omit<T, Exclude<keyof ObservationBase, "at">> : never;

/**
 * Reports a run to its observers, from the events that it emits and the steps that it executes. What happens between two steps is
 * held back until the next one is executed here, and dropped when that one turns out to be recorded.
 */
export class ObservedRun implements StepExecutor {
  readonly #options: ObservedRunOptions;
  readonly #failed = new Set<Observer>();
  readonly #startedAt: number;
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
    this.#options = { ...options, info: Object.freeze(options.info) };
    this.#resumed = options.resumed;
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
      round: async (ops) => {
        this.#hasExecuted = false;
        try {
          const outcomes = await steps.round(ops);
          if (!this.#hasExecuted) this.#skipRound();
          return outcomes;
        } catch (error) {
          // Its questions are asked by this process.
          if (isRunSuspended(error)) this.#flush();
          this.#isStopped = this.#options.onEngine;
          throw error;
        }
      },
    };
  }

  execute<T>(
    name: string,
    step: Step<RunEvent>,
    work: (step: LoopStep) => Promise<T>,
    call: FunctionCall | undefined,
  ): Promise<T> {
    const startedAt = this.#options.now();
    const info = describeStep(this.#options.info, name, step, startedAt, call);
    this.#hasExecuted = true;
    this.#isLive = true;
    this.#flush();
    this.#report({ type: "step-start", at: startedAt, step: info });
    return this.#around(info, () => this.#executeInside(info, step, work));
  }

  async #executeInside<T>(info: StepInfo, step: Step<RunEvent>, work: (step: LoopStep) => Promise<T>): Promise<T> {
    try {
      const value = await work(this.#observedStep(info, step));
      const details = this.#detailsOf(info, value);
      this.#report({ type: "step-end", at: this.#options.now(), step: info, ok: true, ...details });
      return value;
    } catch (error) {
      this.#report({ type: "step-end", at: this.#options.now(), step: info, ok: false, error });
      throw error;
    }
  }

  /** The step; its live events are reported. */
  #observedStep(step: StepInfo, live: Step<RunEvent>): LoopStep {
    const { now } = this.#options;
    let hasParts = false;
    return {
      ...live,
      emit: (event) => {
        if (event.type === "guardrail") this.#report({ at: now(), ...event });
        else if (event.type === "prefix-break")
          this.#report({ type: "prefix-break", at: now(), step, fields: event.fields });
        else if (event.type === "notice") this.#report({ type: "notice", at: now(), step, notice: event.notice });
        else if (event.type === "tool-retry") {
          const { attempt, delayMs, error } = event;
          this.#report({ type: "tool-retry", at: now(), step, attempt, delayMs, error });
        } else if (event.type === "discard") {
          hasParts = false;
          this.#report({ type: "discard", at: now(), step, reason: event.reason });
        } else if (!hasParts && isPart(event)) {
          hasParts = true;
          this.#report({ type: "first-part", at: now(), step });
        }
        return live.emit(event);
      },
      asks: (request, { id: model, origin, endpointKind, streams }) =>
        this.#report({
          type: "request",
          at: now(),
          step,
          request,
          model,
          ...(origin !== undefined && { endpoint: origin.endpoint }),
          ...(endpointKind !== undefined && { endpointKind }),
          ...(streams !== undefined && { streams }),
        }),
    };
  }

  #detailsOf({ run, kind }: StepInfo, value: unknown): Partial<StepEndObservation> {
    // run-log.ts has what each kind of step records.
    if (kind === "call") return { outcome: readOutcome(value as CallStepValue) };
    if (kind !== "model") return {};
    const answer = value as ModelStepValue | PromptTooLong | SteeringStopped;
    if (!("response" in answer)) return {};
    const { response, prepared } = answer;
    try {
      const modelId = response.envelope.modelVersion ?? prepared?.model?.id ?? run.model;
      const prices = findPrices(this.#options.prices, modelId);
      return { response, ...(prices !== undefined && { cost: computeCost(response.usage, prices) }) };
    } catch {
      // A price table may be a function; the loop calls it too, and throws its error.
      return { response };
    }
  }

  /** Begins the work inside all observers, the first one outermost. None of them can prevent it. */
  #around<T>(step: StepInfo, work: () => Promise<T>): Promise<T> {
    const { observers } = this.#options;
    // Assigned by begin(0), whatever the observers do.
    let running!: Promise<T>;
    const begin = (index: number): Promise<void> => {
      const observer = observers[index];
      if (observer === undefined) {
        running = work();
        return running.then(ignore, ignore);
      }
      if (observer.around === undefined) return begin(index + 1);
      let over: Promise<void> | undefined;
      const next = (): Promise<void> => (over ??= begin(index + 1));
      this.#callObserver(observer, () => observer.around?.(step, next));
      if (over === undefined) this.#logFailure(observer, new Error("around() returned before it called next()"));
      return next();
    };
    void begin(0);
    return running;
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
  #skipRound(): void {
    this.#isLive = false;
    this.#resumed ||= !this.#isStarted;
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
  }

  #endTurn(at: number): void {
    this.#held = [];
    if (this.#turn !== undefined) this.#report({ type: "turn-end", at, turn: this.#turn });
  }

  #end(state: RunState, how: Pick<RunEndObservation, "ended" | "result" | "error">): void {
    const at = this.#options.now();
    const { turns, usage, cost } = state;
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

  #report(fact: Fact): void {
    if (fact.type === "turn-start") this.#turn = fact.turn;
    if (fact.type === "turn-end") this.#turn = undefined;
    const { info: run, observers } = this.#options;
    // A fact lacks exactly these two.
    const observation = Object.freeze({ ...fact, run, seq: this.#seq++ }) as Observation;
    for (const observer of observers) this.#callObserver(observer, () => observer.observe?.(observation));
  }

  #callObserver(observer: Observer, call: () => unknown): void {
    const logFailure = (error: unknown): void => this.#logFailure(observer, error);
    try {
      const returned = call();
      if (typeof returned === "object" && returned !== null && "then" in returned)
        Promise.resolve(returned).catch(logFailure);
    } catch (error) {
      logFailure(error);
    }
  }

  #logFailure(observer: Observer, error: unknown): void {
    if (this.#failed.has(observer)) return;
    this.#failed.add(observer);
    const { logger, observers } = this.#options;
    logger.warn({ err: error, observer: observers.indexOf(observer) }, "an observer failed; the run continues");
  }
}

function describeStep(
  run: RunInfo,
  name: string,
  { key, attempt }: Step<RunEvent>,
  startedAt: number,
  call: FunctionCall | undefined,
): StepInfo {
  const parsed = parseStepName(name);
  if (parsed.kind === "wait" || parsed.kind === "other") throw new RangeError(`${name} is not a step of the loop`);
  const { kind, turn } = parsed;
  return Object.freeze({
    run,
    name,
    kind,
    turn,
    key,
    attempt,
    startedAt,
    ...("phase" in parsed && { phase: parsed.phase }),
    ...("callId" in parsed && { callId: parsed.callId }),
    ...(call !== undefined && { call }),
  });
}

/** True for a part of the answer. */
function isPart({ type }: RunEvent): boolean {
  return type === "text-delta" || type === "thought-delta" || type === "call-args-delta" || type === "part";
}

function ignore(): void {}
