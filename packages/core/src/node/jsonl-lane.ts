import type { Json } from "../internal/json.ts";
import type { JsonlFile, LinesToAppend } from "./jsonl-file.ts";

interface Waiting extends LinesToAppend {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Calls to one session's file, one after another. Appends that wait for the same turn share one write and one sync. */
export class JsonlLane {
  readonly #file: JsonlFile;
  #last: Promise<unknown> = Promise.resolve();
  #waiting: Waiting[] = [];
  #running = 0;

  constructor(file: JsonlFile) {
    this.#file = file;
  }

  get idle(): boolean {
    return this.#running === 0;
  }

  load(from: number): Promise<Json[]> {
    return this.#inTurn(() => this.#file.load(from));
  }

  summary(): ReturnType<JsonlFile["summary"]> {
    return this.#inTurn(() => this.#file.summary());
  }

  remove(): Promise<void> {
    return this.#inTurn(() => this.#file.remove());
  }

  append(lines: LinesToAppend): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...lines, resolve, reject });
      if (this.#waiting.length === 1) void this.#inTurn(() => this.#appendWaiting());
    });
  }

  async #appendWaiting(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    try {
      const conflicts = await this.#file.append(batch);
      for (const [index, one] of batch.entries()) {
        const conflict = conflicts[index];
        if (conflict === undefined) one.resolve();
        else one.reject(conflict);
      }
    } catch (error) {
      for (const one of batch) one.reject(error);
    }
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#running++;
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      this.#running--;
    }
  }
}
