/** A tool's schema may have 40,000 characters, and every copied schema takes at least one. */
const MOST_STEPS = 40_000;

/** Most levels of schemas inside schemas. */
const MAX_DEPTH = 400;

/** A part of a document is too complex to describe to a model. */
export class TooComplexError extends Error {
  override readonly name = "TooComplexError";
}

/** Counts the steps of describing one operation: a small document can describe an endless schema. */
export class Work {
  #steps = 0;
  #depth = 0;

  /** @throws {TooComplexError} After too many steps. */
  step(count = 1): void {
    this.#steps += count;
    if (this.#steps > MOST_STEPS) throw new TooComplexError("it has too many parts");
  }

  /** Counts a step that contains others. @throws {TooComplexError} If steps are nested too deeply, or after too many. */
  inside<Value>(work: () => Value): Value {
    this.step();
    if (++this.#depth > MAX_DEPTH) throw new TooComplexError("it is nested too deeply");
    const value = work();
    this.#depth--;
    return value;
  }
}
