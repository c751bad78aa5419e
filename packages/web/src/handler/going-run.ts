/** The part of a run's stream that is needed here. */
interface Running extends AsyncIterable<unknown> {
  readonly soFar: { readonly cost?: number | undefined } | undefined;
}

/** A run that this process makes, whether somebody looks or not. */
export class GoingRun {
  readonly #stream: Running;
  readonly #controller: AbortController;
  /** Resolves when it has ended, however. */
  readonly over: Promise<void>;
  isOver = false;
  /** Why it failed, or was refused. */
  failure: { readonly error: unknown } | undefined;

  /** @param controller - Of the signal that the run was given. */
  constructor(stream: Running, controller: AbortController) {
    this.#stream = stream;
    this.#controller = controller;
    this.over = this.#drain();
  }

  /** What it has cost so far. */
  get cost(): number {
    return this.#stream.soFar?.cost ?? 0;
  }

  abort(): void {
    this.#controller.abort(new DOMException("the client has left", "AbortError"));
  }

  /** Reads the run to its end: a run that is read tells its words one by one. */
  async #drain(): Promise<void> {
    try {
      for await (const _ of this.#stream);
    } catch (error) {
      this.failure = { error };
    } finally {
      this.isOver = true;
    }
  }
}
