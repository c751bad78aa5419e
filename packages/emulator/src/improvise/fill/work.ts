/** How much may still be made up for one schema, so that one that demands a billion items does not stop the emulator. */
export class Work {
  #values = 10_000;
  #characters = 1_000_000;

  /** True when everything is used up. */
  get isDone(): boolean {
    return this.#values <= 0 || this.#characters <= 0;
  }

  /** Uses everything up. */
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
