const NAME = "RunSuspended";

/** Thrown by `Steps.round` when operations wait for answers from outside that are not there, and nothing else is left to do. */
export class RunSuspended extends Error {
  /** Names of the waits without an answer. */
  readonly waiting: readonly string[];

  constructor(waiting: readonly string[]) {
    super(`waiting for ${waiting.join(", ")}`);
    this.name = NAME;
    this.waiting = waiting;
  }
}

/** Also recognises one of another copy of this module. */
export function isRunSuspended(error: unknown): error is RunSuspended {
  return error instanceof Error && error.name === NAME;
}
