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
    await new Promise<void>((enter) => {
      this.#queue.push({ alone, enter });
      this.#admit();
    });
    try {
      return await work();
    } finally {
      this.#inside--;
      this.#aloneInside = false;
      this.#admit();
    }
  }

  #admit(): void {
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      if (this.#aloneInside || this.#inside >= this.#room || (next.alone && this.#inside > 0)) return;
      this.#queue.shift();
      this.#inside++;
      this.#aloneInside = next.alone;
      next.enter();
    }
  }
}
