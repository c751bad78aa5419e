import type { Json } from "../internal/json.ts";
import { describeError, type Op, type Outcome, RunSuspended, type Step, type Steps, waitTimedOut } from "./steps.ts";

/** What is kept of a run's operations. */
export interface JournalLog {
  /** How an operation ended; an answer from outside counts as the outcome of its wait. */
  outcomeOf(name: string): Outcome | undefined;
  /** When an operation was begun, in milliseconds since the epoch. Known for `once` operations and waits with a time-out. */
  begunAt(name: string): number | undefined;
  /** Resolves when it would survive a crash. A rejection ends the run with its error. */
  begin(name: string): Promise<number>;
  /** Resolves when it would survive a crash. A rejection ends the run with its error. */
  record(name: string, outcome: Outcome): Promise<void>;
}

/** What the pass-through needs of its run. */
export interface PassThroughOptions<Event> {
  readonly runId: string;
  readonly signal: AbortSignal;
  /** Where live events go; absent when nobody reads them. */
  readonly emit?: ((event: Event) => void | Promise<void>) | undefined;
}

/** What a journal needs of its run. */
export interface JournalOptions<Event> extends PassThroughOptions<Event> {
  readonly log: JournalLog;
  /** Called instead of running an operation that has no outcome yet: a run that is only read again must not act. */
  readonly missing?: ((op: Op<Event>) => never) | undefined;
}

/**
 * Steps that are written down: an operation with a recorded outcome is not run again, one without is run and its outcome
 * recorded before anything depends on it. Failures are not recorded, so a resumed run tries again.
 *
 * Waits without an answer suspend the run when all else of their round is done. Whether the time of one is over is looked at when
 * the run comes by again.
 */
export function journal<Event>(options: JournalOptions<Event>): Steps<Event> {
  const { runId, log } = options;
  const seen = new Set<string>();
  return {
    runId,
    round: async (ops) => {
      for (const { name } of ops) {
        if (seen.has(name)) throw new Error(`two operations of run ${runId} have the name ${name}`);
        seen.add(name);
      }
      // All are let end, so that none goes on writing after the run has stopped.
      const settled = await Promise.allSettled(ops.map((op) => settle(op, options)));
      const outcomes = settled.map((one) => {
        if (one.status === "rejected") throw one.reason;
        return one.value;
      });
      const waiting = ops.filter((op, index) => op.kind === "wait" && outcomes[index] === undefined);
      if (waiting.length > 0) throw new RunSuspended(waiting.map((op) => op.name));
      return outcomes.filter((outcome) => outcome !== undefined);
    },
  };

  async function settle(
    op: Op<Event>,
    { signal, emit = ignore, missing }: JournalOptions<Event>,
  ): Promise<Outcome | undefined> {
    const known = log.outcomeOf(op.name);
    if (known !== undefined) return known;
    if (op.kind === "wait") return missing === undefined ? await timedOut(op) : undefined;
    missing?.(op);
    const step = { key: `${runId}/${op.name}`, attempt: 1, signal, emit };
    if (op.kind === "step") return await runStep(op, step);
    return { ok: false, error: { name: "TypeError", message: `${op.name}: a journal cannot start another run` } };
  }

  async function runStep(op: Extract<Op<Event>, { kind: "step" }>, step: Step<Event>): Promise<Outcome> {
    let attempt = 1;
    if (op.once === true) {
      if (log.begunAt(op.name) === undefined) await log.begin(op.name);
      else attempt = 2;
    }
    let outcome: Outcome;
    try {
      // JSON by contract; the log keeps it as text.
      outcome = { ok: true, value: (await op.run({ ...step, attempt })) as Json };
    } catch (error) {
      return { ok: false, error: describeError(error) };
    }
    await log.record(op.name, outcome);
    return outcome;
  }

  /** The outcome of a wait whose time is over. */
  async function timedOut({ name, timeoutMs }: Extract<Op<Event>, { kind: "wait" }>): Promise<Outcome | undefined> {
    if (timeoutMs === undefined) return undefined;
    const begun = log.begunAt(name) ?? (await log.begin(name));
    if (Date.now() < begun + timeoutMs) return undefined;
    const outcome = waitTimedOut(name, timeoutMs);
    await log.record(name, outcome);
    return outcome;
  }
}

/**
 * Steps without durability: each operation runs here and now, once. The default of `agent.run`.
 *
 * Nobody can answer it from outside: a round with a `wait` does its other operations and then suspends the run.
 */
export function passThrough<Event>(options: PassThroughOptions<Event>): Steps<Event> {
  const { runId, signal, emit = ignore } = options;
  return {
    runId,
    round: async (ops) => {
      const outcomes: Promise<Outcome>[] = [];
      const waiting: string[] = [];
      for (const op of ops) {
        if (op.kind === "wait") waiting.push(op.name);
        outcomes.push(runHere(op, { key: `${runId}/${op.name}`, attempt: 1, signal, emit }));
      }
      const [only] = outcomes;
      // Most rounds are one operation.
      const settled = outcomes.length === 1 && only !== undefined ? [await only] : await Promise.all(outcomes);
      // Whoever could answer has no way to reach this run again.
      if (waiting.length > 0) throw new RunSuspended(waiting);
      return settled;
    },
  };
}

async function runHere<Event>(op: Op<Event>, step: Step<Event>): Promise<Outcome> {
  try {
    switch (op.kind) {
      case "step":
        // JSON by contract; the copy that a journal would make is spared here.
        return { ok: true, value: (await op.run(step)) as Json };
      case "wait":
        return { ok: true, value: null };
      case "child":
        throw new TypeError(`${op.name}: a run without a durable engine cannot start another run`);
    }
  } catch (error) {
    return { ok: false, error: describeError(error) };
  }
}

function ignore(): void {}
