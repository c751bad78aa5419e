/** Limits what is made up for one schema, so that a schema of a billion items doesn't stop the emulator. */
export class Work {
  #values = 10_000;
  #characters = 1_000_000;

  /** True once a limit is reached. */
  get isDone(): boolean {
    return this.#values <= 0 || this.#characters <= 0;
  }

  /** Allows nothing more. */
  end(): void {
    this.#values = 0;
  }

  /** Counts one value; false when there are none left. */
  take(): boolean {
    this.#values -= 1;
    return this.#values >= 0;
  }

  /** Counts characters, and returns how many of them are left. */
  characters(wanted: number): number {
    const given = Math.max(0, Math.min(wanted, this.#characters));
    this.#characters -= given;
    return given;
  }
}
