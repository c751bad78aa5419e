import { ToolError } from "@pollux/core";

/** The longest delay a platform timer accepts. */
export const LONGEST_MS = 2_147_483_647;

/** The time limit of one call: begins anew with progress, and stands still while the person is asked. */
export class CallClock {
  readonly #abort = new AbortController();
  readonly #limitMs: number;
  readonly #problem: string;
  #timer: NodeJS.Timeout | undefined;
  #pauses = 0;

  constructor(limitMs: number, problem: string) {
    this.#limitMs = limitMs;
    this.#problem = problem;
    this.restart();
  }

  /** Aborts with a {@link ToolError} when the time is up. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  restart(): void {
    this.stop();
    if (this.#pauses > 0 || this.#abort.signal.aborted || this.#limitMs > LONGEST_MS) return;
    this.#timer = setTimeout(() => this.#abort.abort(new ToolError(this.#problem)), this.#limitMs);
  }

  pause(): void {
    this.#pauses++;
    this.stop();
  }

  resume(): void {
    this.#pauses--;
    this.restart();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
