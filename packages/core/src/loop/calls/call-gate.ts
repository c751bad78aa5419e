interface Waiter {
  readonly alone: boolean;
  readonly enter: () => void;
}

/** Lets calls of one turn in, in call order: at most `room` side by side, and one that must be alone by itself. */
export class CallGate {
  readonly #room: number;
  #inside = 0;
  #aloneInside = false;
  readonly #queue: Waiter[] = [];

  constructor(room: number) {
    this.#room = room;
  }

  /** Runs `work` when there is room for it; whatever it does, its place is given back. */
  async through<T>(alone: boolean, work: () => Promise<T>): Promise<T> {
    if (this.#queue.length > 0 || !this.#enter(alone))
      await new Promise<void>((enter) => this.#queue.push({ alone, enter }));
    try {
      return await work();
    } finally {
      this.#inside--;
      this.#aloneInside = false;
      for (let next = this.#queue[0]; next !== undefined && this.#enter(next.alone); next = this.#queue[0]) {
        this.#queue.shift();
        next.enter();
      }
    }
  }

  /** Takes a place, if there is one. */
  #enter(alone: boolean): boolean {
    if (this.#aloneInside || this.#inside >= this.#room || (alone && this.#inside > 0)) return false;
    this.#inside++;
    this.#aloneInside = alone;
    return true;
  }
}
