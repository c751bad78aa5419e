import type { Json } from "../internal/json.ts";
import { parseTraceparent } from "../internal/traceparent.ts";
import {
  describeError,
  type NamedStep,
  type Op,
  type Outcome,
  RunSuspended,
  type Step,
  type Steps,
  tooLarge,
  valueLeft,
  waitTimedOut,
} from "./steps.ts";
import { stepName, type StepPlace } from "./run-log.ts";

/** The records of a run's operations. */
export interface JournalLog {
  /** How an operation ended; an answer from outside is the outcome of its wait. */
  findOutcome(name: string): Outcome | undefined;
  /** When an operation began, in milliseconds since the epoch. Recorded for `once` operations and waits with a timeout. */
  begunAt(name: string): number | undefined;
  /** Resolves with the time once the record would survive a crash. A rejection ends the run with its error. */
  begin(step: NamedStep): Promise<number>;
  /** Resolves once the record would survive a crash. A rejection ends the run with its error. */
  record(step: NamedStep, outcome: Outcome): Promise<void>;
  /** Reads answers that have come since. Called before a run is suspended. */
  readAnswers?(): Promise<void>;
}

/** What the pass-through needs from its run. */
export interface PassThroughOptions<Event> {
  readonly runId: string;
  readonly signal: AbortSignal;
  /** Receives live events; absent without a reader. */
  readonly emit?: ((event: Event) => void | Promise<void>) | undefined;
}

/** What a journal needs from its run. */
export interface JournalOptions<Event> extends PassThroughOptions<Event> {
  readonly log: JournalLog;
  /** The signal of `once` operations, so that one that has begun may continue after the run is aborted. @defaultValue `signal` */
  readonly onceSignal?: AbortSignal | undefined;
  /** Keeps the run's turns. */
  readonly closeTurn?: Steps<Event>["closeTurn"];
  /** Called instead of running an operation without an outcome: a replay must not act. */
  readonly missing?: ((op: Op<Event>) => Outcome) | undefined;
  readonly again?: MakeAgain | undefined;
}

/** For a replay: executes an operation with a known outcome again, or returns undefined. A rejection ends the run. */
export type MakeAgain = (
  op: NamedStep,
  known: Outcome | undefined,
  make: () => Promise<Outcome>,
) => Promise<Outcome> | undefined;

/**
 * Recorded steps: an operation with an outcome is not run again; any other runs, and its outcome is recorded before anything
 * depends on it. Failures are not recorded, so a resumed run tries again.
 *
 * Waits without an answer suspend the run once the rest of their round is done. Their timeouts are checked when a resumed run
 * reaches them.
 */
export function journal<Event>(options: JournalOptions<Event>): Steps<Event> {
  const { runId, signal, onceSignal = signal, emit = ignore, log, missing, again, closeTurn } = options;
  const seen = new Set<string>();
  const made = new Map<string, Promise<unknown>>();
  return {
    runId,
    ...(closeTurn !== undefined && { closeTurn }),
    round: async (ops) => {
      for (const { name } of ops) {
        if (seen.has(name)) throw new Error(`two operations of run ${runId} have the name ${name}`);
        seen.add(name);
      }
      // All of them end first, so that none records anything after the run has stopped.
      const settled = await Promise.allSettled(ops.map(settle));
      const outcomes = settled.map((one) => {
        if (one.status === "rejected") throw one.reason;
        return one.value;
      });
      if (outcomes.includes(undefined)) await log.readAnswers?.();
      const answered = ops.map((op, index) => outcomes[index] ?? log.findOutcome(op.name));
      const waiting = ops.filter((_, index) => answered[index] === undefined);
      if (waiting.length > 0) {
        // A run that is answered before it has ended repeats the round.
        for (const { name } of ops) seen.delete(name);
        throw new RunSuspended(waiting.map((op) => op.name));
      }
      return answered.filter((outcome) => outcome !== undefined);
    },
    recorded: (name) => ({ outcome: log.findOutcome(name), begun: log.begunAt(name) !== undefined }),
    record: <T>(place: StepPlace, work: () => Promise<T>) => {
      const name = stepName(place);
      const value = made.get(name) ?? make({ name, place }, work);
      made.set(name, value);
      value.catch(() => made.delete(name));
      return value as Promise<T>; // of the same work
    },
  };

  /** The value is wrapped in a list, because readers of the log recognize the loop's steps by their members. */
  async function make(step: NamedStep, work: () => Promise<unknown>): Promise<unknown> {
    const known = log.findOutcome(step.name);
    if (known?.ok === true) return (known.value as readonly unknown[])[0];
    const value = await work();
    await log.record(step, { ok: true, value: [value as Json] });
    return value;
  }

  async function settle(op: Op<Event>): Promise<Outcome | undefined> {
    const known = log.findOutcome(op.name);
    const remade = again?.(op, known, () => runHere(op, { key: `${runId}/${op.name}`, attempt: 1, signal, emit }));
    if (remade !== undefined) return await remade;
    if (known !== undefined) return known;
    if (op.kind === "wait") return missing === undefined ? await timedOut(op) : undefined;
    if (missing !== undefined) return missing(op);
    const { name } = op;
    const once = op.kind === "step" && op.once === true;
    const attempt = once && log.begunAt(name) !== undefined ? 2 : 1;
    const begin = async (): Promise<void> => {
      signal.throwIfAborted();
      if (log.begunAt(name) === undefined) await log.begin(op);
    };
    const key = `${runId}/${name}`;
    const step = once ? { key, attempt, signal: onceSignal, emit, begin } : { key, attempt, signal, emit };
    const outcome = await runHere(op, step);
    if (!outcome.ok) return outcome;
    if (!fits(outcome.value, MAX_CHARACTERS)) return tooLarge(op, `over ${MAX_CHARACTERS} characters`);
    await log.record(op, outcome);
    return outcome;
  }

  /** The outcome of a wait whose timeout has passed. */
  async function timedOut(wait: Extract<Op<Event>, { kind: "wait" }>): Promise<Outcome | undefined> {
    const { name, timeoutMs, since } = wait;
    if (timeoutMs === undefined) return undefined;
    const begun = since ?? log.begunAt(name) ?? (await log.begin(wait));
    if (Date.now() < begun + timeoutMs) return undefined;
    const outcome = waitTimedOut(name, timeoutMs);
    await log.record(wait, outcome);
    return outcome;
  }
}

/**
 * Steps without durability: each operation runs at once, in this process. The default of `agent.run`.
 *
 * No answer can reach the run: a round with a `wait` runs its other operations and then suspends the run.
 */
export function passThrough<Event>(options: PassThroughOptions<Event>): Steps<Event> {
  const { runId, signal, emit = ignore } = options;
  return {
    runId,
    cannotWait: true,
    round: async (ops) => {
      const outcomes: Promise<Outcome>[] = [];
      const waiting: string[] = [];
      for (const op of ops) {
        if (op.kind === "wait") waiting.push(op.name);
        outcomes.push(runHere(op, { key: `${runId}/${op.name}`, attempt: 1, signal, emit }));
      }
      const [only] = outcomes;
      // The usual round needs no Promise.all.
      const settled = outcomes.length === 1 && only !== undefined ? [await only] : await Promise.all(outcomes);
      if (waiting.length > 0) throw new RunSuspended(waiting);
      return settled;
    },
  };
}

/** The last `traceparent` of recorded steps, in the order of their outcomes. */
export function lastTraceparent(outcomes: Iterable<Outcome>): string | undefined {
  let last: string | undefined;
  for (const outcome of outcomes) {
    const { traceparent } = valueLeft(outcome);
    if (parseTraceparent(traceparent) !== undefined) last = traceparent;
  }
  return last;
}

async function runHere<Event>(op: Op<Event>, step: Step<Event>): Promise<Outcome> {
  try {
    switch (op.kind) {
      case "step":
        // JSON by contract; it is not copied here.
        return { ok: true, value: (await op.run(step)) as Json };
      case "wait":
        return { ok: true, value: null };
      case "child":
        throw new TypeError(`${op.name}: only a durable engine can start another run`);
    }
  } catch (error) {
    return { ok: false, error: describeError(error) };
  }
}

/** Maximum size of a step's record in a journal: characters of its texts. */
const MAX_CHARACTERS = 64 * 1024 * 1024;

/** Whether all texts of a value together are no longer than this. Much cheaper than serializing the value. */
function fits(value: unknown, characters: number): boolean {
  let left = characters;
  const open: unknown[] = [value];
  while (open.length > 0 && left >= 0) {
    const next = open.pop();
    if (typeof next === "string") left -= next.length;
    else if (typeof next === "object" && next !== null)
      for (const key in next) {
        left -= key.length;
        open.push((next as Readonly<Record<string, unknown>>)[key]);
      }
  }
  return left >= 0;
}

function ignore(): void {}
