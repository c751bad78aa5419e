import { lastTraceparent } from "../durable/journal.ts";
import type { StepPlace } from "../durable/run-log.ts";
import { findRecorded, isRunSuspended, type Step, type Steps } from "../durable/steps.ts";
import { isObject } from "../internal/json.ts";
import { parseTraceparent } from "../internal/traceparent.ts";
import { bindLogger, type Logger } from "../logging/logger.ts";
import type { Emit, ObserverEvent, RunEnding, RunEvent, RunInfo } from "./events.ts";
import {
  describeStep,
  describeValue,
  type ObservedCall,
  ObserverGroup,
  observeStep,
  type StepExecutor,
} from "./observers/observed-step.ts";
import type { LoopStep, Observer } from "./observers/observer.ts";
import type { LoopInput } from "./loop-input.ts";
import type { RunResult } from "./result.ts";
import type { RunState } from "./run-state.ts";

/** What a {@link RunReporter} needs from its run. */
export interface RunReporterOptions extends Pick<
  LoopInput,
  "identity" | "emit" | "signal" | "prices" | "logger" | "now"
> {
  /** The agent's model, where it is, and the step that contains the run. */
  readonly about: Pick<RunInfo, "model" | "endpoint" | "endpointKind" | "parent">;
  /** The enabled observers; absent when there are none. */
  readonly observers: readonly Observer[] | undefined;
  /** Whether the run begins, continues, or is only replayed: then all its events were reported before. */
  readonly mode: "begin" | "resume" | "read";
  /** The `traceparent` under which it was last executed, if that is known before its steps are read again. */
  readonly resumedFrom: string | undefined;
  /** What executes its steps. An engine may end the run here and continue it later. */
  readonly runsOn: "memory" | "journal" | "engine";
}

/**
 * Reports a run to its reader and its observers, from the events that it emits and the steps that it executes. Until the first step is
 * executed here, a resumed run repeats the events of its log: its reader gets them marked as replayed; observers get only the events after
 * the last recorded step, which are held back until then.
 */
export class RunReporter implements StepExecutor {
  readonly #options: RunReporterOptions;
  readonly #observers: ObserverGroup | undefined;
  readonly #startedAt: number;
  /** For lines outside its steps. */
  readonly logger: Logger;
  /** A step was executed here, or the run waits for an answer here: later events were not reported before. */
  #isLive = false;
  #held: (readonly [event: ObserverEvent, at: number])[] = [];
  /** Made with the first event for observers, when the earlier steps are known. */
  #info: RunInfo | undefined;
  #before: Pick<RunInfo, "resumed" | "resumedFrom"> = {};
  /** W3C `traceparent` of the run, once it has started here and an observer gave one. Set here only. */
  traceparent: string | undefined;
  #seq = 0;
  /** The turn whose start observers know, until they know its end. */
  #turn: number | undefined;
  /** The engine has ended the run here. */
  #isStopped = false;

  constructor(options: RunReporterOptions) {
    const { observers, logger } = options;
    this.#options = options;
    this.logger = observers === undefined ? logger : bindLogger(logger, () => parseTraceparent(this.traceparent) ?? {});
    this.#observers = observers && new ObserverGroup(observers, this.logger);
    if (options.mode === "resume") this.#skip(undefined);
    this.#startedAt = options.now();
  }

  async run(run: () => Promise<RunResult<unknown>>, state: RunState): Promise<RunResult<unknown>> {
    if (this.#observers === undefined) return await run();
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

  readonly emit: Emit = (event) => {
    if (this.#observers !== undefined && event.replayed !== true) this.#observe(event);
    const { emit, mode } = this.#options;
    const isReplayed = mode === "read" || (mode === "resume" && !this.#isLive && event.type !== "run-end");
    return emit?.(isReplayed ? { ...event, replayed: true } : event);
  };

  /** The same steps; detects which of them are executed here. */
  steps(steps: Steps<RunEvent>): Steps<RunEvent> {
    const { runId, steering, children, record, cannotWait } = steps;
    return {
      runId,
      cannotWait,
      steering,
      children,
      record,
      ...(steps.closeTurn !== undefined && { closeTurn: (turn) => steps.closeTurn?.(turn) }),
      ...(steps.recorded !== undefined && { recorded: (name) => findRecorded(steps, name) }),
      round: async (ops) => {
        try {
          const outcomes = await steps.round(ops);
          if (!this.#isLive) this.#skip(lastTraceparent(outcomes));
          return outcomes;
        } catch (error) {
          // Its questions are asked by this process.
          if (isRunSuspended(error)) this.#beginLive();
          this.#isStopped = this.#options.runsOn === "engine";
          throw error;
        }
      },
    };
  }

  execute<T>(
    place: StepPlace,
    step: Step<RunEvent>,
    work: (step: LoopStep) => Promise<T>,
    agent: string,
    call: ObservedCall | undefined,
  ): Promise<T> {
    const { now, prices } = this.#options;
    const startedAt = now();
    this.#beginLive();
    if (this.#observers === undefined) return work(step);
    const info = describeStep({ run: this.#run, agent }, place, step, startedAt, call);
    this.#report({ type: "step-start", turn: info.turn, step: info }, startedAt);
    const { live, end } = observeStep(step, info, this.#observers, now, (event, at = now()) => this.#report(event, at));
    return this.#observers.around(info, async () => {
      try {
        const value = await work(live);
        end({ ok: true, ...describeValue(info.kind, value, prices) });
        return this.#recorded(value);
      } catch (error) {
        end({ ok: false, error });
        throw error;
      }
    });
  }

  /** The value that a step records. If it is kept, it includes the run's trace, for the process that resumes the run. */
  #recorded<T>(value: T): T {
    const { traceparent } = this;
    if (traceparent === undefined || this.#options.runsOn === "memory") return value;
    return isObject(value) && "endedAt" in value ? { ...value, traceparent } : value;
  }

  #observe(event: RunEvent): void {
    const at = this.#options.now();
    switch (event.type) {
      case "turn-start":
      case "turn-end":
        this.#endTurn(at);
        if (event.type === "turn-end") return;
        break;
      case "compact":
      case "recover":
      case "handoff":
      case "guardrail":
      case "untrusted":
      case "tool-pending":
        break;
      default:
        return;
    }
    if (this.#isLive) this.#report(event, at);
    else this.#held.push([event, at]);
  }

  /** A round executed nothing here: the events that were held back before it happened elsewhere. */
  #skip(traceparent: string | undefined): void {
    const resumedFrom = this.#options.resumedFrom ?? traceparent ?? this.#before.resumedFrom;
    this.#before = { resumed: true, ...(resumedFrom !== undefined && { resumedFrom }) };
    this.#held = this.#held.filter(([{ type }]) => type === "turn-start");
  }

  #beginLive(): void {
    if (this.#isLive) return;
    this.#isLive = true;
    if (this.#observers === undefined) return;
    this.#start();
    for (const [event, at] of this.#held) this.#report(event, at);
    this.#held = [];
  }

  #start(): void {
    const { identity, about } = this.#options;
    this.#report({ type: "run-start", ...identity, model: about.model }, this.#startedAt);
    this.traceparent = this.#observers?.traceparentOf(this.#run);
  }

  #endTurn(at: number): void {
    this.#held = [];
    if (this.#turn !== undefined) this.#report({ type: "turn-end", turn: this.#turn }, at);
  }

  #end(state: RunState, how: Pick<RunEnding, "ended" | "result" | "error">): void {
    // Its engine only replayed it here.
    if (how.ended === "stopped" && this.#info === undefined) return;
    const at = this.#options.now();
    // Calls that an abort interrupted have not been settled, but the usage of runs inside them counts.
    const { turns, usage, cost, unpriced, pricesAsOf } = state.spentInside(0);
    this.#endTurn(at);
    if (this.#info === undefined) this.#start();
    const priced = this.#options.prices !== undefined && (unpriced === undefined ? { cost, pricesAsOf } : { unpriced });
    this.#report({ type: "run-end", ...how, turns, usage, ...priced }, at);
  }

  get #run(): RunInfo {
    return (this.#info ??= Object.freeze({
      ...this.#options.identity,
      ...this.#options.about,
      startedAt: this.#startedAt,
      ...this.#before,
    }));
  }

  #report(event: ObserverEvent, at: number): void {
    if (event.type === "turn-start") this.#turn = event.turn;
    if (event.type === "turn-end") this.#turn = undefined;
    this.#observers?.report(Object.freeze({ ...event, run: this.#run, at, seq: this.#seq++ }));
  }
}
