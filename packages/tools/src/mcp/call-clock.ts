import { ToolError } from "@pollux/core";

/** The longest delay a platform timer accepts. */
export const LONGEST_MS = 2_147_483_647;

/** The time limit of one call: restarts with progress, and pauses while the person is asked. */
export class CallClock {
  readonly #abort = new AbortController();
  readonly #limitMs: number;
  readonly #problem: string;
  #timer: NodeJS.Timeout | undefined;
  #pauses = 0;
  #isOver = false;

  constructor(limitMs: number, problem: string) {
    this.#limitMs = limitMs;
    this.#problem = problem;
    this.restart();
  }

  /** Aborts when the time is up, with a {@link ToolError} that counts as a timeout. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  restart(): void {
    clearTimeout(this.#timer);
    if (this.#pauses > 0 || this.#isOver || this.#limitMs > LONGEST_MS) return;
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      this.#abort.abort(new ToolError(this.#problem, { kind: "timeout" }));
    }, this.#limitMs);
  }

  pause(): void {
    this.#pauses++;
    clearTimeout(this.#timer);
  }

  resume(): void {
    this.#pauses--;
    this.restart();
  }

  /** Stops for good: the call is over, although one of its questions may still be open. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }
}
