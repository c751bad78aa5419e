import { type SessionStore, type Json, type RunEvent } from "@pollux/core";
import { journal, type JournalLog, passThrough, type StepPlace } from "@pollux/core/durable";
import type { StepsAbilities, StepsProgram, StepsWorld } from "@pollux/conformance";
import { SessionLog, writeRun } from "../../core/src/session/log/session-log.ts";

/** A program on steps alone has no turns; a session's entries have places all the same. */
const PLACE: StepPlace = { kind: "inner", turn: 0, callId: "", name: "" };

/** Where an answer stands: runs of another version of the loop, as these are, may have any names. */
const WAIT = { kind: "wait", turn: 1, callId: "call:1.0", question: "outcome", time: 1 } as const;

/** What an engine can do that can do everything. */
export const EVERYTHING: Omit<StepsAbilities, "maxBytes"> = {
  durable: true,
  keepsFailures: true,
  plainValues: true,
  refusesTwins: true,
  waits: true,
  waitsInPlace: true,
  timeouts: true,
  children: true,
  steering: true,
  cancel: true,
};

export const PASS_THROUGH: StepsAbilities = {
  durable: "nothing is written down",
  keepsFailures: "nothing is written down",
  plainValues: "the copy is spared",
  refusesTwins: "nothing is found by name",
  waits: "nobody can reach the run",
  waitsInPlace: "nobody can reach the run",
  timeouts: "waits suspend the run at once",
  children: "it cannot start other runs",
  steering: "nobody can reach the run",
  cancel: true,
  maxBytes: "nothing is written down",
};

export const JOURNAL: StepsAbilities = {
  ...EVERYTHING,
  keepsFailures: "a resumed run tries again",
  plainValues: "the copy is spared",
  waitsInPlace: "it suspends the run",
  children: "it cannot start other runs",
  steering: "the session brings its own",
  maxBytes: "the store has no limit",
};

/** Runs without durability. */
export function passThroughWorld(): StepsWorld {
  const runs = new Map<string, AbortController>();
  return {
    run: (runId, program) => {
      const { signal } = started(runs, runId);
      return program(passThrough<RunEvent>({ runId, signal }), { signal, input: null });
    },
    cancel: async (runId) => runs.get(runId)?.abort(new Error("cancelled")),
  };
}

/** Runs in the journal of sessions, one session each, whose id is the run's. */
export class JournalWorld implements StepsWorld {
  readonly #open: () => SessionStore;
  readonly #onClose: (() => void) | undefined;
  readonly #aborts = new Map<string, AbortController>();
  #store: SessionStore;
  #logs = new Map<string, Promise<SessionLog>>();
  #process = 0;
  readonly #writes: Promise<unknown>[] = [];

  constructor(open: () => SessionStore, onClose?: () => void) {
    this.#open = open;
    this.#store = open();
    this.#onClose = onClose;
  }

  async run(runId: string, program: StepsProgram): Promise<unknown> {
    const { signal } = started(this.#aborts, runId);
    const log = await this.#log(runId);
    const steps = journal<RunEvent>({ runId, signal, log: this.#alive(writerFor(log)) });
    return await program(steps, { signal, input: null });
  }

  async answer(runId: string, name: string, value: Json): Promise<void> {
    await (await this.#log(runId)).append({}, { type: "answer", runId, step: name, place: WAIT, value, token: name });
  }

  async cancel(runId: string): Promise<void> {
    this.#aborts.get(runId)?.abort(new Error("cancelled"));
  }

  async reopen(): Promise<void> {
    this.#process++;
    // What was on its way to the disk gets there.
    await Promise.allSettled(this.#writes);
    this.#store = this.#open();
    this.#logs = new Map();
  }

  close(): void {
    this.#onClose?.();
  }

  #log(runId: string): Promise<SessionLog> {
    const log = this.#logs.get(runId) ?? opened(this.#store, runId);
    this.#logs.set(runId, log);
    return log;
  }

  /** What a dead process writes is not written. */
  #alive(log: JournalLog): JournalLog {
    const process = this.#process;
    const gone = (): boolean => process !== this.#process;
    const kept = <T>(write: Promise<T>): Promise<T> => {
      this.#writes.push(write);
      return write;
    };
    return {
      findOutcome: (name) => log.findOutcome(name),
      begunAt: (name) => log.begunAt(name),
      begin: ({ name }) => (gone() ? new Promise(() => {}) : kept(log.begin({ name, place: PLACE }))),
      record: ({ name }, outcome) =>
        gone() ? new Promise(() => {}) : kept(log.record({ name, place: PLACE }, outcome)),
    };
  }
}

function writerFor(log: SessionLog): ReturnType<typeof writeRun> {
  const { run } = log.view;
  if (run === undefined) throw new TypeError("the session has no run");
  return writeRun(log, run);
}

async function opened(store: SessionStore, runId: string): Promise<SessionLog> {
  const log = new SessionLog(store, runId);
  await log.refresh();
  if (log.view.run === undefined) {
    const origin = { endpoint: "test", family: "test" };
    await log.append({}, { type: "run", runId, loop: 1, agent: "test", model: "test", origin, input: [] });
  }
  return log;
}

function started(runs: Map<string, AbortController>, runId: string): AbortController {
  const abort = new AbortController();
  runs.set(runId, abort);
  return abort;
}
