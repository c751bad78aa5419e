import type { RunEvent } from "../loop/events.ts";
import type { RunEmitters } from "../loop/run-stream.ts";

/** Hands the events of an object's runs to those who watch it, without slowing the runs down. */
export class EventTap {
  readonly #listeners: Set<(event: RunEvent) => void> = new Set();
  /** What was reported since the turn began, for those who come in the middle of it. */
  #recent: RunEvent[] = [];

  /** Emitters that are listened to. A run that nobody reads or watches when it begins makes no events. */
  tap(emitters: RunEmitters | undefined): RunEmitters | undefined {
    if (emitters === undefined && this.#listeners.size === 0) {
      // What is remembered is of a run that was before this one, perhaps of the same run.
      this.#recent = [];
      return undefined;
    }
    const pass =
      (emit: RunEmitters["emit"] | undefined): RunEmitters["emit"] =>
      (event) => {
        this.#remember(event);
        for (const listener of this.#listeners) listener(event);
        return emit?.(event);
      };
    return { emit: pass(emitters?.emit), emitLive: pass(emitters?.emitLive) };
  }

  /** Listens from now on. The listener must not throw. @returns The events of the turn that is going. */
  listen(listener: (event: RunEvent) => void): readonly RunEvent[] {
    this.#listeners.add(listener);
    return [...this.#recent];
  }

  leave(listener: (event: RunEvent) => void): void {
    this.#listeners.delete(listener);
  }

  #remember(event: RunEvent): void {
    const { type } = event;
    if (type === "run-start" || type === "run-end") this.#recent = [];
    else if (type === "turn-start") this.#recent = this.#recent.slice(0, 1);
    else if (type === "tool-progress")
      this.#recent = this.#recent.filter((one) => one.type !== type || one.callId !== event.callId);
    // The text has all of an `output-delta`.
    if (type === "run-end" || type === "output-delta") return;
    const last = this.#recent.at(-1);
    const isMore = (type === "text-delta" || type === "thought-delta") && last?.type === type;
    if (isMore) this.#recent[this.#recent.length - 1] = { ...event, delta: last.delta + event.delta };
    else this.#recent.push(event);
  }
}
