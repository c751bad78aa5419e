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
export type Outcome =
  | { readonly ok: true; readonly value: Json }
  | {
      readonly ok: false;
      readonly error: StepError;
    };

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
