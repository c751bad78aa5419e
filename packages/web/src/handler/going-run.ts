/** A run that this process makes, whether somebody looks or not. */
export class GoingRun {
  readonly #stream: AsyncIterable<unknown>;
  readonly #controller: AbortController;
  /** Resolves when it has ended, however. */
  readonly over: Promise<void>;
  isOver = false;
  /** Why it failed, or was refused. */
  failure: { readonly error: unknown } | undefined;

  /** @param controller - Of the signal that the run was given. */
  constructor(stream: AsyncIterable<unknown>, controller: AbortController) {
    this.#stream = stream;
    this.#controller = controller;
    this.over = this.#drain();
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
