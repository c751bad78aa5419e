import type { Step } from "../durable/steps.ts";

const NAME = "WallTimeReached";

/** The timer fires a little late, so that the recorded times of the steps show that the limit was passed. */
const LATE_MS = 20;
/** A timer that is set for longer fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Cuts off steps when the wall time of their run is up. It runs only while a step does: a wait for a person costs nothing. */
export class WallClock {
  readonly #limitMs: number;
  readonly #usedMs: () => number;
  readonly #controller = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #inside = 0;
  /** What was used before the first step of this process, and the time in steps since. */
  #spentMs: number | undefined;
  #startedAt = 0;

  /** @param usedMs - What the steps that ended have used. */
  constructor(limitMs: number, usedMs: () => number) {
    this.#limitMs = limitMs;
    this.#usedMs = usedMs;
  }

  /** The work of a step, which also ends when the wall time is up. */
  async through<StepKind extends Pick<Step, "signal">, T>(
    step: StepKind,
    work: (step: StepKind) => Promise<T>,
  ): Promise<T> {
    if (this.#inside++ === 0) this.#start();
    try {
      return await work({ ...step, signal: AbortSignal.any([step.signal, this.#controller.signal]) });
    } finally {
      if (--this.#inside === 0) this.#stop();
    }
  }

  #start(): void {
    // Steps of one round are counted by the run when the round is over; two that follow each other in it are not forgotten here.
    this.#spentMs = Math.max(this.#spentMs ?? 0, this.#usedMs());
    this.#startedAt = Date.now();
    const leftMs = Math.max(0, this.#limitMs - this.#spentMs) + LATE_MS;
    if (leftMs > LONGEST_TIMER_MS) return;
    const reason = new Error(`the run's wall time of ${this.#limitMs} ms is up`);
    reason.name = NAME;
    this.#timer = setTimeout(() => this.#controller.abort(reason), leftMs);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#spentMs = (this.#spentMs ?? 0) + Date.now() - this.#startedAt;
  }
}

/** What a step that the wall time ended leaves. */
export const WALL_TIME_REACHED: { readonly name: string; readonly message: string } = {
  name: NAME,
  message: "the run's wall time is up",
};

/** True for the recorded error of a step that the wall time ended. */
export function isWallTimeReached(error: { readonly name: string } | undefined): boolean {
  return error?.name === NAME;
}
