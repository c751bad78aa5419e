import { type CallStepValue, stepName, type StepPlace, type ModelStepRecord } from "../../durable/run-log.ts";
import { markOfCall } from "../../durable/read-by-step.ts";
import type { Step } from "../../durable/steps.ts";
import { present } from "../../internal/json.ts";
import { parseTraceparent } from "../../internal/traceparent.ts";
import type { Logger } from "../../logging/logger.ts";
import { asOf, type PriceTable } from "../../model/usage.ts";
import type { ExchangeTap } from "../../wire/http/exchange-tap.ts";
import { BodyScrubber } from "../../wire/secrets/redact.ts";
import { readOutcome, type TurnCall } from "../calls/call-state.ts";
import type { ObservedEvent, ObserverEvent, RunEvent, RunInfo, StepEnding, StepInfo } from "../events.ts";
import type { LoopStep, ObservedExchange, Observer } from "./observer.ts";

/** The observers of one run. Their failures change nothing, and are logged once per observer. */
export class ObserverGroup {
  readonly #observers: readonly Observer[];
  readonly #logger: Logger;
  readonly #failed = new Set<Observer>();
  /** Absent when none of them wants HTTP exchanges. */
  readonly #scrubber: BodyScrubber | undefined;

  /** @param logger - Adds the run's identity to each line. */
  constructor(observers: readonly Observer[], logger: Logger) {
    this.#observers = observers;
    this.#logger = logger;
    if (observers.some((observer) => observer.exchange !== undefined)) this.#scrubber = new BodyScrubber();
  }

  report(event: ObservedEvent): void {
    for (const observer of this.#observers) this.#call(observer, event, () => observer.observe?.(event));
  }

  /** Begins the work inside all observers, the first one outermost. None of them can prevent it. */
  around<T>(step: StepInfo, work: () => Promise<T>): Promise<T> {
    // Assigned by begin(0), whatever the observers do.
    let running!: Promise<T>;
    const begin = (index: number): Promise<void> => {
      const observer = this.#observers[index];
      if (observer === undefined) {
        running = work();
        return running.then(ignore, ignore);
      }
      if (observer.around === undefined) return begin(index + 1);
      let over: Promise<void> | undefined;
      const next = (): Promise<void> => (over ??= begin(index + 1));
      this.#call(observer, step, () => observer.around?.(step, next));
      if (over === undefined) this.#logFailure(observer, step, new Error("around() returned before it called next()"));
      return next();
    };
    void begin(0);
    return running;
  }

  /** Reports the HTTP exchanges of a step to the observers that want them; absent when none does. */
  tap(step: StepInfo, now: () => number): ExchangeTap | undefined {
    if (this.#scrubber === undefined || step.kind !== "model") return undefined;
    return {
      now,
      scrubber: this.#scrubber,
      exchanged: (exchange) => {
        const seen: ObservedExchange = Object.freeze({ run: step.run, step, ...exchange });
        for (const observer of this.#observers) this.#call(observer, step, () => observer.exchange?.(seen));
      },
    };
  }

  /** Reports what a call's tool throws to the observers that want it; absent when none does. */
  threw(step: StepInfo): LoopStep["threw"] {
    if (step.kind !== "call" || this.#observers.every((observer) => observer.threw === undefined)) return undefined;
    return (error, attempt) => {
      const thrown = Object.freeze({ run: step.run, step, error, attempt });
      for (const observer of this.#observers) this.#call(observer, step, () => observer.threw?.(thrown));
    };
  }

  /** From the first observer that knows it. */
  traceparentOf(of: RunInfo | StepInfo): string | undefined {
    for (const observer of this.#observers) {
      if (observer.traceparent === undefined) continue;
      const given = this.#call(observer, of, () => observer.traceparent?.(of));
      if (typeof given === "string" && parseTraceparent(given) !== undefined) return given;
      if (given !== undefined)
        this.#logFailure(observer, of, new TypeError("traceparent() returned something other than a W3C traceparent"));
    }
    return undefined;
  }

  /** Calls an observer about `about`. @returns Its return value; `undefined` when it threw. */
  #call(observer: Observer, about: Subject, call: () => unknown): unknown {
    try {
      const returned = call();
      if (typeof returned === "object" && returned !== null && "then" in returned)
        Promise.resolve(returned).catch((error: unknown) => this.#logFailure(observer, about, error));
      return returned;
    } catch (error) {
      this.#logFailure(observer, about, error);
      return undefined;
    }
  }

  #logFailure(observer: Observer, about: Subject, error: unknown): void {
    if (this.#failed.has(observer)) return;
    this.#failed.add(observer);
    const turn = "turn" in about && { turn: about.turn };
    this.#logger.warn(
      { ...turn, err: error, observer: this.#observers.indexOf(observer) },
      "an observer failed; the run continues",
    );
  }
}

type Subject = ObservedEvent | RunInfo | StepInfo;

function ignore(): void {}

/** The call that a step runs. */
export type ObservedCall = Pick<TurnCall, "call" | "tool">;

/** Executes the steps of a run that has observers. */
export interface StepExecutor {
  /** Executes a step. Whatever observers do, `work` is called exactly once, synchronously. @param agent - Name of the agent that leads. */
  execute<T>(
    place: StepPlace,
    step: Step<RunEvent>,
    work: (step: LoopStep) => Promise<T>,
    agent: string,
    call: ObservedCall | undefined,
  ): Promise<T>;
}

/** A step whose observers learn what happens in it. @param report - Reports an event at a time: now, if absent. */
export function observeStep(
  live: Step<RunEvent>,
  step: StepInfo,
  observers: ObserverGroup,
  now: () => number,
  report: (event: ObserverEvent, at?: number) => void,
): { readonly live: LoopStep; readonly end: (how: StepEnding) => void } {
  const where = { turn: step.turn, step };
  let hasParts = false;
  /** Of the last request. */
  let chunksAt: number[] = [];
  let queuedMs = 0;
  const [tap, threw] = [observers.tap(step, now), observers.threw(step)];
  return {
    live: {
      ...live,
      ...present({ traceparent: observers.traceparentOf(step), tap, threw }),
      emit: (event) => {
        const { type } = event;
        if (type === "discard") hasParts = false;
        if (type === "guardrail") report(event);
        else if (type === "discard" || type === "prefix-break" || type === "notice" || type === "tool-retry")
          report({ ...event, ...where });
        return live.emit(event);
      },
      chunk: () => {
        const at = now();
        chunksAt.push(at);
        if (!hasParts) report({ type: "first-part", ...where }, at);
        hasParts = true;
      },
      queued: (ms) => void (queuedMs += ms),
      asks: (request, { id: model, origin, endpointKind, streams }) => {
        chunksAt = [];
        const service = present({ endpoint: origin?.endpoint, endpointKind, streams });
        report({ type: "request", request, model, ...service, ...where });
      },
    },
    end: (how) => {
      const times = { ...(chunksAt.length > 0 && { chunksAt }), ...(queuedMs > 0 && { queuedMs }) };
      report({ type: "step-end", ...how, ...times, ...where });
    },
  };
}

/** A step as observers see it. */
export function describeStep(
  who: Pick<StepInfo, "run" | "agent">,
  place: StepPlace,
  { key, attempt }: Step<RunEvent>,
  startedAt: number,
  call: ObservedCall | undefined,
): StepInfo {
  const name = stepName(place);
  if (place.kind === "wait" || place.kind === "inner") throw new RangeError(`${name} is not a step of the loop`);
  const { kind, turn } = place;
  return Object.freeze({
    ...who,
    name,
    place,
    kind: kind === "reroute" ? "route" : kind,
    turn,
    key,
    attempt,
    startedAt,
    ...("phase" in place && { phase: place.phase }),
    ...("callId" in place && { callId: place.callId }),
    ...(call !== undefined && { call: call.call }),
    ...(call?.tool !== undefined && { toolDescription: call.tool.description }),
  });
}

/** What a step's end says about its value. */
export function describeValue(
  kind: StepInfo["kind"],
  value: unknown,
  prices: PriceTable | undefined,
): Partial<StepEnding> {
  // run-log.ts has what each kind of step records.
  if (kind === "call") {
    const call = value as CallStepValue;
    // A job's outcome is not known when it starts.
    const outcome = call.job === undefined ? readOutcome(call) : undefined;
    return { ...(outcome !== undefined && { outcome }), reads: markOfCall(call), origin: call.origin };
  }
  if (kind !== "model") return {};
  const answer = value as ModelStepRecord;
  if (!("response" in answer)) return {};
  const { response, cost } = answer;
  return { response, ...(cost !== undefined && { cost, ...asOf(prices) }) };
}
