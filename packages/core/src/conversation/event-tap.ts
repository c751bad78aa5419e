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
    const pass = (emit: RunEmitters["emit"] | undefined): RunEmitters["emit"] => {
      return (event) => {
        this.#hear(event);
        return emit?.(event);
      };
    };
    return { emit: pass(emitters?.emit), emitLive: pass(emitters?.emitLive) };
  }

  /**
   * Listens from now on. The listener must not throw.
   *
   * @returns The events of the turn that is going.
   */
  listen(listener: (event: RunEvent) => void): readonly RunEvent[] {
    this.#listeners.add(listener);
    return [...this.#recent];
  }

  leave(listener: (event: RunEvent) => void): void {
    this.#listeners.delete(listener);
  }

  #hear(event: RunEvent): void {
    this.#remember(event);
    for (const listener of this.#listeners) listener(event);
  }

  #remember(event: RunEvent): void {
    const last = this.#recent.at(-1);
    switch (event.type) {
      case "run-start":
        this.#recent = [event];
        return;
      case "run-end":
        this.#recent = [];
        return;
      case "turn-start":
        this.#recent = [...this.#recent.slice(0, 1), event];
        return;
      case "text-delta":
      case "thought-delta":
        if (last?.type === event.type) this.#recent.pop();
        this.#recent.push(last?.type === event.type ? { ...event, delta: last.delta + event.delta } : event);
        return;
      case "output-delta":
        // The text has it all.
        return;
      case "tool-progress":
        this.#recent = this.#recent.filter((one) => one.type !== event.type || one.callId !== event.callId);
        this.#recent.push(event);
        return;
      default:
        this.#recent.push(event);
    }
  }
}
