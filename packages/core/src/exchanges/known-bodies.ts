import type { KnownBody } from "./body-delta.ts";

/** A body, and the run that sent it. */
export interface RunBody extends KnownBody {
  readonly log: string;
  readonly runId: string;
  readonly isNested: boolean;
}

/** Runs of one log whose last bodies are remembered. */
const MAX_RUNS = 16;

/**
 * The last body of each of a log's latest runs, for the logs written to last: what the next body is compared with. Nested runs are
 * forgotten before the run that they are inside of.
 */
export class KnownBodies {
  readonly #maxBytes: number;
  /** By log, then by run; both in order of use. */
  readonly #logs = new Map<string, Map<string, RunBody>>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  of(log: string): Iterable<KnownBody> {
    return this.#logs.get(log)?.values() ?? [];
  }

  add(one: RunBody): void {
    const { log, runId } = one;
    const runs = this.#logs.get(log) ?? new Map<string, RunBody>();
    this.#forget(runs, runs.get(runId));
    this.#logs.delete(log);
    this.#logs.set(log, runs.set(runId, one));
    this.#bytes += one.body.length;
    if (runs.size > MAX_RUNS)
      this.#forget(runs, [...runs.values()].find(({ isNested }) => isNested) ?? runs.values().next().value);
    for (const oldest of this.#logs.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.forget(oldest);
    }
  }

  forget(log: string): void {
    const runs = this.#logs.get(log);
    for (const one of runs?.values() ?? []) this.#bytes -= one.body.length;
    this.#logs.delete(log);
  }

  #forget(runs: Map<string, RunBody>, one: RunBody | undefined): void {
    if (one === undefined) return;
    runs.delete(one.runId);
    this.#bytes -= one.body.length;
  }
}
