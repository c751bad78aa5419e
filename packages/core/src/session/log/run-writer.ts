import type { JournalLog } from "../../durable/journal.ts";
import type { NamedStep, Outcome } from "../../durable/steps.ts";
import type { StepKey } from "./entries.ts";
import type { RunRecord } from "./run-record.ts";
import type { NewEntry, SessionLog } from "./session-log.ts";
import type { TurnRecord } from "./turn-record.ts";

/** Writes what a run records, under the token of its lease. A turn is written before the first entry of the next one, with it. */
export class RunWriter implements JournalLog {
  readonly #log: SessionLog;
  readonly #record: RunRecord;
  readonly #token: number | undefined;
  /** Turns that are closed, and not known to be in the log. */
  #closed: readonly NewEntry[] = [];
  #isWriting = false;

  constructor(log: SessionLog, record: RunRecord, token?: number) {
    this.#log = log;
    this.#record = record;
    this.#token = token;
  }

  findOutcome(name: string): Outcome | undefined {
    return this.#record.outcomes.get(name)?.outcome;
  }

  begunAt(name: string): number | undefined {
    return this.#record.begun.get(name)?.at;
  }

  async begin(step: NamedStep): Promise<number> {
    await this.#append({ type: "begin", runId: this.#runId, ...keyOf(step) });
    return this.begunAt(step.name) ?? Date.now();
  }

  async record(step: NamedStep, outcome: Outcome): Promise<void> {
    await this.#append({ type: "step", runId: this.#runId, ...keyOf(step), outcome });
  }

  readAnswers(): Promise<void> {
    return this.#log.refresh();
  }

  closeTurn(turn: TurnRecord): void {
    this.#closed = [...this.#closed, { type: "turn", runId: this.#runId, ...turn }];
  }

  /** Closed turns that the run's last append has to begin with. */
  get unwritten(): readonly NewEntry[] {
    return this.#closed;
  }

  get #runId(): string {
    return this.#record.entry.runId;
  }

  async #append(entry: NewEntry): Promise<void> {
    // An append that comes meanwhile is written after it.
    const closed = this.#isWriting ? [] : this.#closed;
    if (closed.length === 0) return await this.#log.append({ token: this.#token }, entry);
    this.#isWriting = true;
    try {
      await this.#log.append({ token: this.#token }, ...closed, entry);
      this.#closed = this.#closed.slice(closed.length);
    } finally {
      this.#isWriting = false;
    }
  }
}

/** What a run of an agent records has a place. */
function keyOf({ name, place }: NamedStep): StepKey {
  if (place === undefined) throw new TypeError(`operation ${name} has no place, which a session needs`);
  return { step: name, place };
}
