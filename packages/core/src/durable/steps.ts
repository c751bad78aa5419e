import { AgentError } from "../errors/agent-error.ts";
import type { Json } from "../internal/json.ts";
import type { Content } from "../wire/types/content.ts";

/** What one operation may use while it runs. */
export interface Step<Event = unknown> {
  /** Idempotency key: the same over retries, crashes and resumes. */
  readonly key: string;
  /** From 1; more only after a crash or when an engine runs the step again. */
  readonly attempt: number;
  /** Aborts with the run. */
  readonly signal: AbortSignal;
  /** Reports live, beside the journal. A promise means that the reader has no room: it resolves when there is (back-pressure). Never rejects. */
  emit(event: Event): void | Promise<void>;
}

/** One named operation. Names come from data and are unique in their run: `model:3`, `call:3.0`. */
export type Op<Event = unknown> =
  | {
      readonly kind: "step";
      readonly name: string;
      /** Must be told by `attempt > 1` whenever an earlier attempt may have begun: it has an effect that must not happen twice. */
      readonly once?: boolean | undefined;
      run(step: Step<Event>): Promise<unknown>;
    }
  | {
      /** Answered from outside by run id and name; an answer that comes before it is asked for is kept. */
      readonly kind: "wait";
      readonly name: string;
      /** What is asked. In a run of an agent: a `PendingCall`. */
      readonly question?: Json | undefined;
      /** Milliseconds until it ends with `waitTimedOut`. @defaultValue it never does */
      readonly timeoutMs?: number | undefined;
    }
  | {
      /** A run of its own, whose outcome is how it ended: a `RunReport`. Its id is `${runId}:${name}`. Ends when its parent is cancelled. */
      readonly kind: "child";
      readonly name: string;
      /** One of {@link Steps.children}. */
      readonly agent: string;
      /** What it is begun with: an `EngineRunInput`. */
      readonly input: Json;
    };

/** How an operation ended. Everything that crosses is JSON; errors are data. */
export type Outcome = { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly error: StepError };

/** An error as data. */
export interface StepError {
  readonly name: string;
  readonly message: string;
  /** Stable word for the kind of failure, when there is one. */
  readonly code?: string | undefined;
  /** HTTP status of the service's answer, when that was the failure. */
  readonly status?: number | undefined;
}

/** Where a run's operations happen: in this process, in a journal, or on a durable engine. */
export interface Steps<Event = unknown> {
  readonly runId: string;
  /** What is said to the run from outside. Absent: nothing can be said. */
  readonly steering?: Steering | undefined;
  /** Names of the agents that can be run as runs of their own. A call of an agent tool whose agent has such a name is a `child`. */
  readonly children?: ReadonlySet<string> | undefined;
  /**
   * Starts all operations at once, in this order, and gives their outcomes in the same order. Rejects only when the run must
   * stop here: with `RunSuspended` when nothing but waits without an answer is left, and this kind of steps cannot wait for them.
   */
  round(ops: readonly Op<Event>[]): Promise<Outcome[]>;
}

/** Where a run hears what is said to it while it is going. */
export interface Steering {
  /** Messages after place `after`, or `undefined` when there are none. Called inside model steps only. */
  take(after: number): Promise<Steered | undefined>;
  /**
   * Whether there is something after place `after`. Called between rounds, before a run would finish; what it says has to be the
   * same when the run is run again. Absent: a run finishes without asking.
   */
  waits?(after: number): Promise<boolean>;
}

/** Messages for a run, and the place up to which they were read. */
export interface Steered {
  readonly contents: readonly Content[];
  readonly upTo: number;
}

/** An error as data: its name and message, and, where it has them, its `code` and the HTTP `status`. */
export function describeError(error: unknown): StepError {
  if (!(error instanceof Error)) return { name: "Error", message: textOf(error) };
  const { code, status }: Error & { readonly code?: unknown; readonly status?: unknown } = error;
  return {
    name: textOf(error.name),
    message: textOf(error.message),
    ...(typeof code === "string" && { code }),
    ...(error instanceof AgentError && typeof status === "number" && { status }),
  };
}

/** Anything can be thrown, also what has no text. */
function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return "no message";
  }
}

/** Bounds of what a step may leave. */
export interface SettleStepOptions {
  /** Largest value in bytes of JSON; a larger one becomes an error. @defaultValue 8_388_608 */
  readonly maxBytes?: number | undefined;
}

const MAX_BYTES = 8 * 1024 * 1024;

/**
 * Runs one step and gives its outcome: what an engine's adapter calls inside the engine's own step. The value went through JSON,
 * so that it is the same now and when it is read again; an error is data.
 *
 * @throws The signal's reason when it has aborted and the step did not end by itself: nothing is to be recorded then.
 */
export async function settleStep<Event>(
  op: Pick<Extract<Op<Event>, { kind: "step" }>, "name" | "run">,
  step: Step<Event>,
  { maxBytes = MAX_BYTES }: SettleStepOptions = {},
): Promise<Outcome> {
  step.signal.throwIfAborted();
  try {
    return valueOutcome(op.name, await op.run(step), maxBytes);
  } catch (error) {
    if (step.signal.aborted) throw step.signal.reason;
    return { ok: false, error: describeError(error) };
  }
}

function valueOutcome(name: string, value: unknown, maxBytes: number): Outcome {
  // `undefined` has no JSON, whatever the types say.
  const text = (JSON.stringify(value) as string | undefined) ?? "null";
  const bytes = byteLength(text, maxBytes);
  if (bytes <= maxBytes) return { ok: true, value: JSON.parse(text) as Json };
  const message =
    `the result of ${name} is ${bytes} bytes, over the limit of ${maxBytes}: ` +
    "put large data into a file or a store, and return a reference to it";
  return { ok: false, error: { name: "ValueTooLargeError", code: VALUE_TOO_LARGE, message } };
}

/** Bytes of a text in UTF-8, or fewer when it surely fits: it has at most three for one UTF-16 unit, so most need no counting. */
export function byteLength(text: string, bound: number): number {
  return text.length * 3 <= bound ? text.length : new TextEncoder().encode(text).length;
}

/** Code of the error that a value which is too large becomes. */
export const VALUE_TOO_LARGE = "value-too-large";

const WAIT_TIMEOUT = "WaitTimeoutError";

/** The outcome of a wait that nobody answered in time. */
export function waitTimedOut(name: string, timeoutMs: number): Outcome {
  const message = `${name} was not answered within ${timeoutMs} ms`;
  return { ok: false, error: { name: WAIT_TIMEOUT, code: "wait-timeout", message } };
}

/** True for the outcome that {@link waitTimedOut} makes. */
export function isWaitTimedOut(outcome: Outcome | undefined): boolean {
  return outcome?.ok === false && outcome.error.name === WAIT_TIMEOUT;
}

const RUN_SUSPENDED = "RunSuspended";

/** Thrown by `Steps.round` when operations wait for answers from outside that are not there, and nothing else is left to do. */
export class RunSuspended extends Error {
  /** Names of the waits without an answer. */
  readonly waiting: readonly string[];

  constructor(waiting: readonly string[]) {
    super(`waiting for ${waiting.join(", ")}`);
    this.name = RUN_SUSPENDED;
    this.waiting = waiting;
  }
}

/** Also recognises one of another copy of this module. */
export function isRunSuspended(error: unknown): error is RunSuspended {
  return error instanceof Error && error.name === RUN_SUSPENDED;
}
