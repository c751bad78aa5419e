import type { QueuedMessage } from "../conversation.ts";

interface SaidMessage extends QueuedMessage {
  /** In the log. */
  readonly place: number;
  /** How many contents it has. */
  readonly contents: number;
}

/** What was said to a session, and how much of it its runs have heard. */
export class SaidToSession {
  #messages: SaidMessage[] = [];
  /** The place up to which it was heard. */
  #heard = 0;
  /** Where the runs of the conversation began, and what was heard by then. */
  readonly #runs: { readonly runId: string; readonly place: number; readonly heard: number }[] = [];

  add(message: SaidMessage): void {
    this.#messages.push(message);
  }

  beginRun(runId: string, place: number): void {
    this.#runs.push({ runId, place, heard: this.#heard });
  }

  hear(upTo: number): void {
    this.#heard = Math.max(this.#heard, upTo);
  }

  /** What was said after a run began goes with the run that heard it. */
  takeBack(runId: string): void {
    const index = this.#runs.findIndex((run) => run.runId === runId);
    const run = this.#runs[index];
    if (run === undefined) return;
    this.#messages = this.#messages.filter(({ place }) => place < run.place || place >= this.#heard);
    this.#heard = run.heard;
    this.#runs.length = index;
  }

  /** @param taken - Contents that the request under way has taken along. */
  queued(taken: number): readonly QueuedMessage[] {
    let left = taken;
    return this.#messages
      .filter(({ place, contents }) => {
        if (place < this.#heard) return false;
        left -= contents;
        return left < 0;
      })
      .map(({ id, at, parts }) => ({ id, at, parts }));
  }
}
