import type { RunEvent } from "@pollux/core";

/** A run in this process, with or without readers. */
export class GoingRun {
  readonly #controller: AbortController;
  /** Resolves when it has ended, in any way. Never rejects. */
  readonly over: Promise<void>;
  isOver = false;
  /** It no longer waits for its turn. */
  hasBegun = false;
  /** Why it failed, or was refused. */
  failure: { readonly error: unknown } | undefined;

  /**
   * @param controller - Of the signal that the run was given.
   * @param onEvent - Must not reject. The run waits for it.
   */
  constructor(
    stream: AsyncIterable<RunEvent>,
    controller: AbortController,
    onEvent: (event: RunEvent) => Promise<void> | undefined,
  ) {
    this.#controller = controller;
    this.over = this.#drain(stream, onEvent);
  }

  abort(): void {
    this.#controller.abort(new DOMException("the client has left", "AbortError"));
  }

  /** Reads the run to its end: a run that is read streams its text. */
  async #drain(
    stream: AsyncIterable<RunEvent>,
    onEvent: (event: RunEvent) => Promise<void> | undefined,
  ): Promise<void> {
    try {
      for await (const event of stream) {
        this.hasBegun = true;
        await onEvent(event);
      }
    } catch (error) {
      this.failure = { error };
    } finally {
      this.isOver = true;
    }
  }
}
