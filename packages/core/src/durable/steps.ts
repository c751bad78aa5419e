import { AgentError, KnownError } from "../errors/agent-error.ts";
import type { Json } from "../internal/json.ts";
import { textOf, utf8Length } from "../internal/text.ts";
import { lostBefore, type Usage } from "../model/usage.ts";
import type { Content } from "../wire/types/content.ts";
import type { ClosedTurn } from "./closed-turn.ts";
import type { CallStepValue, ModelStepValue, Steered, StepPlace } from "./run-log.ts";

/** What an operation uses while it runs. */
export interface Step<Event = unknown> {
  /** Idempotency key: the same across retries, crashes and resumes. */
  readonly key: string;
  /** From 1; higher only after a crash or when an engine repeats the step. */
  readonly attempt: number;
  /** Aborts with the run. */
  readonly signal: AbortSignal;
  /**
   * For a `once` step: records that its effect begins. Await it right before the effect, so that a step that only waited for something
   * has not begun. Absent: the step began when it was run.
   */
  readonly begin?: (() => Promise<void>) | undefined;
  /** Reports live, without recording. A promise is back-pressure: it resolves when the reader has room. Never rejects. */
  emit(event: Event): void | Promise<void>;
}

/** Identifies an operation. */
export interface NamedStep {
  /** Comes from data and is unique in its run. An opaque key: the place tells what the operation is. */
  readonly name: string;
  /** In an agent's run: {@link StepPlace}. */
  readonly place?: StepPlace | undefined;
}

/** One named operation: `model:3`, `call:3.0`. */
export type Op<Event = unknown> =
  | (NamedStep & {
      readonly kind: "step";
      /** Its effect must not happen twice: `attempt` must exceed 1 whenever an earlier attempt may have begun its effect. */
      readonly once?: boolean | undefined;
      run(step: Step<Event>): Promise<unknown>;
    })
  | (NamedStep & {
      /** Answered from outside by run id and name; an answer that arrives early is kept. */
      readonly kind: "wait";
      /** In an agent's run: a `PendingCall`. */
      readonly question?: Json | undefined;
      /** Milliseconds until it ends with `waitTimedOut`. @defaultValue no timeout */
      readonly timeoutMs?: number | undefined;
      /** When that time began, in milliseconds since the epoch. @defaultValue now */
      readonly since?: number | undefined;
      /**
       * For a job: polls for the answer. An engine may call it repeatedly, each time in a separate step, `everyMs` or more apart; the first
       * value is the answer. It rejects when the check failed.
       */
      readonly poll?:
        | { readonly everyMs: number; readonly check: (signal: AbortSignal) => Promise<Json | undefined> }
        | undefined;
      /** For a job that can be cancelled: cancels it. For an engine whose run is cancelled during the wait. Never rejects. */
      readonly cancel?: ((signal: AbortSignal) => Promise<void>) | undefined;
    })
  | (NamedStep & {
      /** A separate run with the id `${runId}:${name}`; its outcome is a `RunReport`. It is cancelled with its parent. */
      readonly kind: "child";
      /** One of {@link Steps.children}. */
      readonly agent: string;
      /** An `EngineRunInput`. */
      readonly input: Json;
    });

/** How an operation ended. Values are JSON, and errors are data. */
export type Outcome = { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly error: StepError };

/** The record of a request or a call; empty for a step that failed. Other steps have no such members, except `response` and `nested`. */
export function valueLeft(outcome: Outcome | undefined): Partial<ModelStepValue & CallStepValue> {
  // Anything but an object has none of these members either.
  return ((outcome?.ok === true && outcome.value) || {}) as Partial<ModelStepValue & CallStepValue>;
}

/** An error as data. */
export interface StepError {
  readonly name: string;
  readonly message: string;
  /** Stable name of the kind of failure. */
  readonly code?: string | undefined;
  /** HTTP status of the service's response, if that was the failure. */
  readonly status?: number | undefined;
  /** When the exhausted daily quota resets, in milliseconds since the epoch. */
  readonly resetsAt?: number | undefined;
  /** Usage of the model's broken answers before the error. */
  readonly lost?: Usage | undefined;
}

/** Where a run's operations are executed: in this process, with a journal, or on a durable engine. */
export interface Steps<Event = unknown> {
  readonly runId: string;
  /** Messages to the run from outside; absent when it takes none. */
  readonly steering?: Steering | undefined;
  /** No answer can reach the run: it ends where it would wait, and nothing continues it. */
  readonly cannotWait?: true | undefined;
  /** Names of agents that can run separately: a call of an agent tool with such an agent is a `child`. */
  readonly children?: ReadonlySet<string> | undefined;
  /**
   * Starts all operations at once, in this order, and returns their outcomes in the same order. Rejects only when the run must
   * stop here: with `RunSuspended` when only waits without an answer are left and cannot be waited for here.
   */
  round(ops: readonly Op<Event>[]): Promise<Outcome[]>;
  /**
   * The record of a step. Called after a round was rejected, for the conversation as it is then: an earlier process may have executed
   * the step. Absent: only steps of this process are known.
   */
  recorded?(name: string): RecordedStep;
  /** Called in order with each turn that is over, once the next one begins. Absent: turns are neither kept nor described. */
  closeTurn?(turn: ClosedTurn): void;
  /** Records JSON from inside a step, so that a repeated step does not produce it again. Absent: only whole steps are recorded. */
  readonly record?: (<T>(place: StepPlace, work: () => Promise<T>) => Promise<T>) | undefined;
}

/** What a journal has of a step. */
export interface RecordedStep {
  /** Absent when none was recorded. */
  readonly outcome?: Outcome | undefined;
  /** For a `once` step: its effect began, and may have happened. */
  readonly begun: boolean;
}

/** The record of a step; nothing if the steps have no journal. */
export function findRecorded(steps: Pick<Steps, "recorded">, name: string): RecordedStep {
  return steps.recorded?.(name) ?? NOTHING_RECORDED;
}

const NOTHING_RECORDED: RecordedStep = { begun: false };

/** Messages sent to a run while it is in progress. */
export interface Steering {
  /** Messages after position `after`, or `undefined` when there are none. Called inside model steps only. */
  take(after: number): Promise<Steered | undefined>;
  /**
   * Whether there is a message after position `after`. Called between rounds, before a run would finish; a replay must get the
   * same answer. An engine that answers `false` accepts no more messages for the run: it refuses later ones. Absent: a run
   * finishes without asking.
   */
  waits?(after: number): Promise<boolean>;
  /**
   * Accepts no more messages, and returns the ones after position `after`. Called when a run on an engine ends for another reason
   * than its last answer; a replay must get the same.
   */
  close?(after: number): Promise<readonly Content[]>;
}

/** An error as data: its name, message and, if present, `code` and HTTP `status`. */
export function describeError(error: unknown): StepError {
  if (!(error instanceof Error)) return { name: "Error", message: textOf(error) };
  const { code, status, resetsAt }: Error & { readonly [Name in "code" | "status" | "resetsAt"]?: unknown } = error;
  const isOurs = error instanceof AgentError;
  return {
    name: textOf(error.name),
    message: textOf(error.message),
    ...(typeof code === "string" && { code }),
    ...(isOurs && typeof status === "number" && { status }),
    ...(isOurs && typeof resetsAt === "number" && { resetsAt }),
  };
}

/** Bounds of what a step may record. */
export interface SettleStepOptions {
  /**
   * Largest value in bytes of JSON. A larger one becomes an error with the code {@link VALUE_TOO_LARGE}: for a tool, the model reads it
   * and the run continues; for the model, it ends the run, whose report then has that code. @defaultValue 8_388_608
   */
  readonly maxBytes?: number | undefined;
}

/** Largest value that an engine records, in bytes of JSON: what a step returns, an answer from outside, a steering message. */
export const MAX_VALUE_BYTES: number = 8 * 1024 * 1024;

/**
 * Runs one step and returns its outcome; an engine's adapter calls it inside the engine's own step. The value is converted to JSON
 * and back, so that it is the same when it is read again; an error is data.
 *
 * @throws The signal's reason when the signal has aborted and the step failed: record nothing then.
 */
export async function settleStep<Event>(
  op: Pick<Extract<Op<Event>, { kind: "step" }>, "name" | "place" | "run">,
  step: Step<Event>,
  { maxBytes = MAX_VALUE_BYTES }: SettleStepOptions = {},
): Promise<Outcome> {
  step.signal.throwIfAborted();
  try {
    // JSON.stringify returns undefined for `undefined`, despite its type.
    const text = (JSON.stringify(await op.run(step)) as string | undefined) ?? "null";
    // A UTF-16 unit takes at most three bytes, so most texts need no counting.
    const bytes = text.length * 3 <= maxBytes ? text.length : utf8Length(text);
    if (bytes <= maxBytes) return { ok: true, value: JSON.parse(text) as Json };
    return tooLarge(op, `${bytes} bytes, over the limit of ${maxBytes}`);
  } catch (error) {
    if (step.signal.aborted) throw step.signal.reason;
    const lost = lostBefore(error);
    return { ok: false, error: { ...describeError(error), ...(lost !== undefined && { lost }) } };
  }
}

/** The outcome in place of a value that is too large to record. */
export function tooLarge({ name, place }: NamedStep, size: string): Outcome {
  const [what, advice] =
    place?.kind === "model"
      ? ["the model's answer in", "limit it with maxOutputTokens, or ask for fewer or smaller images"]
      : ["the result of", "ask for less at a time, or have the tool store large data and return a reference to it"];
  const message = `${what} ${name} is ${size}: ${advice}`;
  return { ok: false, error: { name: "ValueTooLargeError", code: VALUE_TOO_LARGE, message } };
}

/** Code of the error in place of a value that is too large. */
export const VALUE_TOO_LARGE = "value-too-large";

const WAIT_TIMEOUT = "WaitTimeoutError";

/** The outcome of a wait that was not answered in time. */
export function waitTimedOut(name: string, timeoutMs: number): Outcome {
  const message = `${name} was not answered within ${timeoutMs} ms`;
  return { ok: false, error: { name: WAIT_TIMEOUT, code: "wait-timeout", message } };
}

/** True for an outcome made by {@link waitTimedOut}. */
export function isWaitTimedOut(outcome: Outcome | undefined): boolean {
  return outcome?.ok === false && outcome.error.name === WAIT_TIMEOUT;
}

/** Thrown by `Steps.round` when only waits without an answer are left. */
export class RunSuspended extends KnownError {
  static override readonly name = "RunSuspended";
  readonly code: string = "run_suspended";
  /** Names of the waits without an answer. */
  readonly waiting: readonly string[];

  constructor(waiting: readonly string[]) {
    super(`waiting for ${waiting.join(", ")}`);
    this.waiting = waiting;
  }
}

/** Also recognizes an error from another copy of this module. */
export function isRunSuspended(error: unknown): error is RunSuspended {
  return error instanceof RunSuspended;
}
