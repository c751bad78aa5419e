import type { PhaseKind } from "../durable/run-log.ts";
import type { Step } from "../durable/steps.ts";
import type { ModelNotice, ModelRequest, ModelResponse } from "../model/model.ts";
import type { Usage } from "../model/usage.ts";
import type { ParentStep, ToolOutcome } from "../tool/tool.ts";
import type { FunctionCall } from "../wire/types/content.ts";
import type { RunEvent } from "./events.ts";
import type { RunResult } from "./result.ts";

/**
 * Sees what an agent's runs do, and changes nothing: a function that throws, rejects or never ends is logged at most, once a run.
 *
 * One observer serves any number of runs at the same time. Runs that are only read again (a replay) are not observed.
 */
export interface Observer {
  /**
   * Called with each {@link Observation} of each run, in order and at once, so it should be quick: put slow work off. What it returns
   * is ignored; a promise is not awaited.
   */
  observe?(observation: Observation): unknown;
  /**
   * Wraps the execution of a step, so that a context, such as that of an `AsyncLocalStorage`, is active in everything the step does.
   * Called after the step's `step-start`; the first observer is the outermost.
   *
   * @param next - Begins the step. To be called once, before `around` returns or awaits anything; a step that has not begun by then
   * begins without it. Called again, it begins nothing. Gives a promise that resolves when the step is over, and never rejects: how
   * the step ended is in its `step-end`. What `around` returns is ignored as well.
   */
  around?(step: StepInfo, next: () => Promise<void>): unknown;
}

/** A run as observers see it. The same object in all observations of a run in one process: a key for a `WeakMap`. */
export interface RunInfo {
  readonly runId: string;
  /** Name of the agent. */
  readonly agent: string;
  /** Id of the agent's model. */
  readonly model: string;
  /** Where its requests go, when that is known. */
  readonly endpoint?: string | undefined;
  readonly sessionId?: string | undefined;
  /** The step of another run inside which it is made. That run may be in another process. */
  readonly parent?: ParentStep | undefined;
}

/** A step that is executed in this process. The same object in all observations of the step. */
export interface StepInfo {
  readonly run: RunInfo;
  /** Name in the run, such as `model:3`, `model:3.1` when it is asked again, `call:3.0`. What {@link ParentStep.step} refers to. */
  readonly name: string;
  /**
   * A request to the model; a call; who has to agree to the calls of a turn; a summary of the oldest messages; a hook around a call
   * that is a run of its own.
   */
  readonly kind: "model" | "call" | "route" | "compact" | "hook";
  readonly turn: number;
  /** Idempotency key: the same over retries, crashes and resumes. */
  readonly key: string;
  /** From 1; more when its journal or engine knows that it was begun before. */
  readonly attempt: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Of a model step: the work of the run, or putting its answer into a schema. */
  readonly phase?: PhaseKind | undefined;
  /** Of a call, and of the hooks around one: its id, the same when it is run again. */
  readonly callId?: string | undefined;
  /** Of a call: what the model asks for. */
  readonly call?: FunctionCall | undefined;
}

/** What every observation says. */
export interface ObservationBase {
  readonly run: RunInfo;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** From 0 in a run of this process: the order in which they are given. */
  readonly seq: number;
}

/**
 * Something that happened in a run. Plain JSON-safe objects but for errors, which are what was thrown. Contents, requests and
 * responses are the run's own: not to be changed.
 *
 * Grammar, where the steps of a turn's calls go side by side:
 *
 * ```text
 * run  = run-start turn* run-end
 * turn = turn-start (step | compact | recover | tool-pending)* turn-end
 * step = step-start (request | first-part | notice | discard)* step-end
 * ```
 *
 * Only what is executed in this process is observed. A run that is resumed or goes on elsewhere has a `run-start` and a `run-end` in
 * each process, turns of which every step is recorded are left out, and others hold the steps that were still to be done. A step
 * that its engine lets go of may end after `run-end`; a process that dies says nothing more.
 *
 * Within a model step, `request` says what is sent; a second one follows a `discard` when the stream broke and is begun again.
 */
export type Observation =
  | RunStartObservation
  | RunEndObservation
  | (ObservationBase & Extract<RunEvent, { readonly type: "turn-start" | "turn-end" }>)
  /** The oldest messages were replaced by a summary; the step that made it has just ended. */
  | (ObservationBase & Extract<RunEvent, { readonly type: "compact" }>)
  /** The answer could not be used; the model is asked again by the next step. */
  | (ObservationBase & Extract<RunEvent, { readonly type: "recover" }>)
  /** A call waits for an answer from outside. */
  | (ObservationBase & Extract<RunEvent, { readonly type: "tool-pending" }>)
  | StepStartObservation
  | StepEndObservation
  /** What a model step sends, hooks and steering included. */
  | (ObservationBase & { readonly type: "request"; readonly step: StepInfo; readonly request: ModelRequest })
  /** The first thing the model says. */
  | (ObservationBase & { readonly type: "first-part"; readonly step: StepInfo })
  /** A request is sent again or for the first time after a wait, or was changed once to suit the endpoint. */
  | (ObservationBase & {
      readonly type: "notice";
      readonly step: StepInfo;
      readonly notice: Exclude<ModelNotice, { readonly type: "rewind" }>;
    })
  /** What the model has said in this step is void and comes again. */
  | (ObservationBase & { readonly type: "discard"; readonly step: StepInfo; readonly reason: string });

/** A run begins in this process, or goes on in it. */
export interface RunStartObservation extends ObservationBase {
  readonly type: "run-start";
  /** It was begun before, in this process or another. */
  readonly resumed: boolean;
}

/** A run is over, as far as this process is concerned. */
export interface RunEndObservation extends ObservationBase {
  readonly type: "run-end";
  readonly startedAt: number;
  /** `stopped`: its engine ended it here, to go on with it later or elsewhere. */
  readonly ended: "result" | "failed" | "aborted" | "stopped";
  /** How it ended; in every other case there is an error. */
  readonly result?: RunResult<unknown> | undefined;
  /** What it threw: the signal's reason after an abort. */
  readonly error?: unknown;
  /** Turns, tokens and cost of the whole run, what was done before it was resumed and runs inside it included. */
  readonly turns: number;
  readonly usage: Usage;
  /** In the unit of the price table; absent without one. */
  readonly cost?: number | undefined;
}

/** A step begins. */
export interface StepStartObservation extends ObservationBase {
  readonly type: "step-start";
  readonly step: StepInfo;
}

/** A step is over. */
export interface StepEndObservation extends ObservationBase {
  readonly type: "step-end";
  readonly step: StepInfo;
  /** `false` when it threw. A failed tool is data, and its step is fine. */
  readonly ok: boolean;
  /** What it threw, when it is not `ok`. */
  readonly error?: unknown;
  /** Of a model step: the answer, with finish reason, usage (cached tokens included), model version and response id. Absent when the prompt was too long. */
  readonly response?: ModelResponse | undefined;
  /** What the answer cost, in the unit of the price table; absent without one. */
  readonly cost?: number | undefined;
  /** Of a call: what the model is told. */
  readonly outcome?: ToolOutcome | undefined;
}

/** A step as the loop carries it out. */
export interface LoopStep extends Step<RunEvent> {
  /** Tells observers what is sent to the model; absent when there are none. */
  readonly asks?: ((request: ModelRequest) => void) | undefined;
}

/** What carries out the steps of a run that has observers. */
export interface StepExecutor {
  /**
   * Carries out a step. Whatever observers do, `work` is called once, at once.
   *
   * @param call - What a call's step runs.
   */
  execute<T>(
    name: string,
    step: Step<RunEvent>,
    work: (step: LoopStep) => Promise<T>,
    call: FunctionCall | undefined,
  ): Promise<T>;
}
