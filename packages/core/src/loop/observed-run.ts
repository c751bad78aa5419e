import { isRunSuspended, type Step, type Steps } from "../durable/steps.ts";
import { type CallStepValue, type ModelStepValue, parseStepName, type PromptTooLong } from "../durable/run-log.ts";
import type { Logger } from "../logging/logger.ts";
import type { ModelResponse } from "../model/model.ts";
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

/** What an observed run is made with. */
export interface ObservedRunOptions {
  /** At least one. */
  readonly observers: readonly Observer[];
  readonly info: RunInfo;
  /** The run is known to have been begun before. */
  readonly resumed: boolean;
  /** Its steps are an engine's, which may end it here and go on with it later. */
  readonly onEngine: boolean;
  readonly signal: AbortSignal;
  readonly prices: PriceTable | undefined;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

type Told<T = Observation> = T extends unknown ? Omit<T, Exclude<keyof ObservationBase, "at">> : never;

/**
 * Tells the observers of a run what it does: by the events it emits and the steps it executes. What it does between two steps is held
 * back until the next one is executed here, and dropped when that one is found recorded.
 */
export class ObservedRun implements StepExecutor {
  readonly #options: ObservedRunOptions;
  readonly #failed = new Set<Observer>();
  readonly #startedAt: number;
  #seq = 0;
  #resumed: boolean;
  #isStarted = false;
  /** The turn that observers know of, while it is going. */
  #turn: number | undefined;
  /** The last operation was executed here, so what follows happens here as well. */
  #isLive = false;
  #held: Told[] = [];
  /** A step of the round that is going was executed here. */
  #hasExecuted = false;
  /** The engine has ended the run here. */
  #isStopped = false;

  constructor(options: ObservedRunOptions) {
    this.#options = { ...options, info: Object.freeze(options.info) };
    this.#resumed = options.resumed;
    this.#startedAt = options.now();
  }

  /** Makes the run, from its start to its end. */
  async run(make: () => Promise<RunResult<unknown>>, state: RunState): Promise<RunResult<unknown>> {
    try {
      const result = await make();
      this.#end(state, { ended: "result", result });
      return result;
    } catch (error) {
      const { aborted } = this.#options.signal;
      this.#end(state, { ended: aborted ? "aborted" : this.#isStopped ? "stopped" : "failed", error });
      throw error;
    }
  }

  /** Hands the run's own events on, and takes from them what observers are told. */
  events(emit: Emit | undefined): Emit {
    return (event) => {
      this.#take(event);
      return emit?.(event);
    };
  }

  /** The same steps; says which rounds were answered without executing anything. */
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
          if (!this.#hasExecuted) this.#readBack();
          return outcomes;
        } catch (error) {
          // What is asked is asked here, and by nobody else.
          if (isRunSuspended(error)) this.#flush();
          this.#isStopped = this.#options.onEngine;
          throw error;
        }
      },
    };
  }

  /** @see {@link StepExecutor.execute} */
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
    this.#tell({ type: "step-start", at: startedAt, step: info });
    return this.#around(info, () => this.#carryOut(info, step, work));
  }

  async #carryOut<T>(info: StepInfo, step: Step<RunEvent>, work: (step: LoopStep) => Promise<T>): Promise<T> {
    try {
      const value = await work(this.#observedStep(info, step));
      this.#tell({ type: "step-end", at: this.#options.now(), step: info, ok: true, ...this.#detailsOf(info, value) });
      return value;
    } catch (error) {
      this.#tell({ type: "step-end", at: this.#options.now(), step: info, ok: false, error });
      throw error;
    }
  }

  /** The step, its live events seen. */
  #observedStep(step: StepInfo, live: Step<RunEvent>): LoopStep {
    const { now } = this.#options;
    const { key, attempt, signal } = live;
    let hasSpoken = false;
    return {
      key,
      attempt,
      signal,
      emit: (event) => {
        if (event.type === "notice") this.#tell({ type: "notice", at: now(), step, notice: event.notice });
        else if (event.type === "discard") {
          hasSpoken = false;
          this.#tell({ type: "discard", at: now(), step, reason: event.reason });
        } else if (!hasSpoken && isSpoken(event)) {
          hasSpoken = true;
          this.#tell({ type: "first-part", at: now(), step });
        }
        return live.emit(event);
      },
      asks: (request) => this.#tell({ type: "request", at: now(), step, request }),
    };
  }

  #detailsOf({ run, kind }: StepInfo, value: unknown): Partial<StepEndObservation> {
    // What a step of each kind leaves is said in run-log.ts.
    if (kind === "call") return { outcome: readOutcome(value as CallStepValue) };
    if (kind !== "model") return {};
    const answer = value as ModelStepValue | PromptTooLong;
    if ("tooLong" in answer) return {};
    const { response } = answer;
    const cost = this.#costOf(response, run);
    return { response, ...(cost !== undefined && { cost }) };
  }

  /** A price table may be a function; when it throws, the loop finds out where it would without observers. */
  #costOf({ envelope, usage }: ModelResponse, { model }: RunInfo): number | undefined {
    try {
      const prices = findPrices(this.#options.prices, envelope.modelVersion ?? model);
      return prices === undefined ? undefined : computeCost(usage, prices);
    } catch {
      return undefined;
    }
  }

  /** Begins the work inside of all observers, the first one outermost. None of them can keep it from beginning. */
  #around<T>(step: StepInfo, work: () => Promise<T>): Promise<T> {
    const { observers } = this.#options;
    const begin = (index: number): Begun<T> => {
      const observer = observers[index];
      if (observer === undefined) {
        const running = work();
        return { running, over: running.then(ignore, ignore) };
      }
      if (observer.around === undefined) return begin(index + 1);
      let begun: Begun<T> | undefined;
      const next = (): Promise<void> => (begun ??= begin(index + 1)).over;
      this.#call(observer, () => observer.around?.(step, next));
      if (begun === undefined) this.#complain(observer, new Error("around() returned before it called next()"));
      return (begun ??= begin(index + 1));
    };
    return begin(0).running;
  }

  /** What an event of the run itself tells observers. */
  #take(event: RunEvent): void {
    const at = this.#options.now();
    switch (event.type) {
      case "turn-start":
        this.#endTurn(at);
        this.#hold({ type: "turn-start", at, turn: event.turn });
        return;
      case "turn-end":
        this.#endTurn(at);
        return;
      case "compact":
      case "recover":
      case "tool-pending":
        this.#hold({ at, ...event });
        return;
      default:
    }
  }

  #hold(told: Told): void {
    if (this.#isLive) this.#tell(told);
    else this.#held.push(told);
  }

  /** The round did nothing here: what was held back before it happened elsewhere. */
  #readBack(): void {
    this.#isLive = false;
    this.#resumed ||= !this.#isStarted;
    this.#held = this.#held.filter(({ type }) => type === "turn-start");
  }

  #flush(): void {
    this.#start();
    const held = this.#held;
    this.#held = [];
    for (const told of held) this.#tell(told);
  }

  #start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#tell({ type: "run-start", at: this.#startedAt, resumed: this.#resumed });
  }

  #endTurn(at: number): void {
    this.#held = [];
    if (this.#turn !== undefined) this.#tell({ type: "turn-end", at, turn: this.#turn });
  }

  #end(state: RunState, how: Pick<RunEndObservation, "ended" | "result" | "error">): void {
    const at = this.#options.now();
    const { turns, usage, cost } = state;
    this.#endTurn(at);
    this.#start();
    this.#tell({
      type: "run-end",
      at,
      startedAt: this.#startedAt,
      ...how,
      turns,
      usage,
      ...(this.#options.prices !== undefined && { cost }),
    });
  }

  #tell(told: Told): void {
    if (told.type === "turn-start") this.#turn = told.turn;
    if (told.type === "turn-end") this.#turn = undefined;
    const { info: run, observers } = this.#options;
    // What an observation is made of but for these two.
    const observation = Object.freeze({ ...told, run, seq: this.#seq++ }) as Observation;
    for (const observer of observers) this.#call(observer, () => observer.observe?.(observation));
  }

  #call(observer: Observer, call: () => unknown): void {
    const complain = (error: unknown): void => this.#complain(observer, error);
    try {
      const returned = call();
      if (typeof returned === "object" && returned !== null && "then" in returned)
        Promise.resolve(returned).catch(complain);
    } catch (error) {
      complain(error);
    }
  }

  #complain(observer: Observer, error: unknown): void {
    if (this.#failed.has(observer)) return;
    this.#failed.add(observer);
    const { logger, info, observers } = this.#options;
    logger.warn(
      { err: error, runId: info.runId, observer: observers.indexOf(observer) },
      "an observer failed; the run continues",
    );
  }
}

interface Begun<T> {
  readonly running: Promise<T>;
  /** Resolves when it is over, however it ended. */
  readonly over: Promise<void>;
}

function describeStep(
  run: RunInfo,
  name: string,
  { key, attempt }: Step<RunEvent>,
  startedAt: number,
  call: FunctionCall | undefined,
): StepInfo {
  const parsed = parseStepName(name);
  if (parsed.kind === "wait" || parsed.kind === "other") throw new RangeError(`${name} is no step of the loop`);
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

/** True for what the model says itself. */
function isSpoken({ type }: RunEvent): boolean {
  return type === "text-delta" || type === "thought-delta" || type === "call-args-delta" || type === "part";
}

function ignore(): void {}
