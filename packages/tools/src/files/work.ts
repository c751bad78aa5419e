import { setImmediate as turn } from "node:timers/promises";

/** Steps of synchronous work after which everything else in the process gets a turn: a few milliseconds. */
const STEPS_PER_TURN = 500_000;

/** Counts steps of synchronous work, so that long work can be interrupted after the same number of steps on any machine. */
export class Work {
  #steps = 0;

  /** Counts steps: about the number of characters or states that were examined. */
  add(steps: number): void {
    this.#steps += steps;
  }

  /** Waits for one turn of the event loop if enough work was done since the last one. */
  async pause(): Promise<void> {
    if (this.#steps < STEPS_PER_TURN) return;
    this.#steps = 0;
    await turn();
  }
}
