/** Admits the calls of a round in call order: at most `room` at a time, and a sequential one only alone. */
export class CallGate {
  readonly #room: number;
  #inside = 0;
  #aloneInside = false;
  readonly #queue: { readonly alone: boolean; readonly enter: () => void }[] = [];

  constructor(room: number) {
    this.#room = room;
  }

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

  #enter(alone: boolean): boolean {
    if (this.#aloneInside || this.#inside >= this.#room || (alone && this.#inside > 0)) return false;
    this.#inside++;
    this.#aloneInside = alone;
    return true;
  }
}
