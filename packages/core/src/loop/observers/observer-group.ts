import { parseTraceparent } from "../../internal/traceparent.ts";
import type { Logger } from "../../logging/logger.ts";
import type { ExchangeTap } from "../../wire/http/exchange-tap.ts";
import { BodyScrubber } from "../../wire/secrets/redact-bytes.ts";
import type { ObservedEvent } from "../events.ts";
import type { ObservedExchange, Observer } from "./observer.ts";
import type { RunInfo, StepInfo } from "./run-info.ts";

/** The observers of one run. What they throw, reject or give back is logged, once for each of them, and changes nothing. */
export class ObserverGroup {
  readonly #observers: readonly Observer[];
  readonly #logger: Logger;
  readonly #failed = new Set<Observer>();
  /** Absent when none of them wants HTTP exchanges. */
  readonly #scrubber: BodyScrubber | undefined;

  /** @param logger - Its lines have the identity of the run. */
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

  /** Reports the HTTP exchanges of a step to those that want them; absent when none does. */
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

  /** What the first observer says that knows it. */
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

  /**
   * @param about - What the observer is called with.
   * @returns What it returned; `undefined` when it threw.
   */
  #call(observer: Observer, about: Subject, call: () => unknown): unknown {
    const logFailure = (error: unknown): void => this.#logFailure(observer, about, error);
    try {
      const returned = call();
      if (typeof returned === "object" && returned !== null && "then" in returned)
        Promise.resolve(returned).catch(logFailure);
      return returned;
    } catch (error) {
      logFailure(error);
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
