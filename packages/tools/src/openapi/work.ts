/** Every copied schema takes at least a character of the 40,000 that a tool's schema may have. */
const MOST_STEPS = 40_000;

/** Most levels of schemas inside schemas. */
const MAX_DEPTH = 400;

/** A part of a document that cannot be described to a model, and would take too long to try. */
export class TooComplexError extends Error {
  override readonly name = "TooComplexError";
}

/** Counts the steps of describing one operation: a small document can stand for an endless schema. */
export class Work {
  #steps = 0;
  #depth = 0;

  /** @throws {TooComplexError} If there were too many. */
  step(count = 1): void {
    this.#steps += count;
    if (this.#steps > MOST_STEPS) throw new TooComplexError("it has too many parts");
  }

  /** A step that contains others. @throws {TooComplexError} If it is inside too many, or there were too many. */
  inside<Value>(work: () => Value): Value {
    this.step();
    if (++this.#depth > MAX_DEPTH) throw new TooComplexError("it is nested too deeply");
    const value = work();
    this.#depth--;
    return value;
  }
}
