import type { PhaseKind, StepPlace } from "../../durable/run-log.ts";
import type { ParentStep } from "../../tool/tool.ts";
import type { EndpointKind } from "../../wire/endpoints/endpoint.ts";
import type { FunctionCall } from "../../wire/types/content.ts";
import type { RunIdentity } from "../../tool/run-context.ts";

/** A run as observers see it. The same object in all events of a run in one process, so it can be the key of a `WeakMap`. */
export interface RunInfo extends RunIdentity {
  /** Id of the agent's model. */
  readonly model: string;
  /** Where its requests are sent, if known: a URL without a trailing slash. */
  readonly endpoint?: string | undefined;
  /** What kind of service that is, if known. */
  readonly endpointKind?: EndpointKind | undefined;
  /** The step of another run that contains it. That run may be in another process. */
  readonly parent?: ParentStep | undefined;
  /** When it started in this process, in milliseconds since the epoch. */
  readonly startedAt: number;
  /** It began earlier, in this process or another. */
  readonly resumed?: true | undefined;
  /** Of a run that began earlier: the `traceparent` under which it was last executed, in this process or another, if it is known. */
  readonly resumedFrom?: string | undefined;
}

/** A step executed in this process. The same object in all events of the step. */
export interface StepInfo {
  readonly run: RunInfo;
  /** Name of the agent that leads: the run's, or who has taken over. */
  readonly agent: string;
  /** Name in the run, such as `model:3`, `model:3.1` for a retry, `call:3.0`. {@link ParentStep.step} refers to it. */
  readonly name: string;
  /** What it is in its run. */
  readonly place: StepPlace;
  /**
   * A request to the model; a call; the decision which calls of a turn need approval; a summary of the oldest messages; a hook
   * around a call that is a separate run; guardrails, which check the message of the run or an answer.
   */
  readonly kind: "model" | "call" | "route" | "compact" | "hook" | "guard";
  readonly turn: number;
  /** Idempotency key: the same across retries, crashes and resumes. */
  readonly key: string;
  /** From 1; higher when its journal or engine knows of an earlier attempt. */
  readonly attempt: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Of a model step: the work of the run, or converting its answer to a schema. */
  readonly phase?: PhaseKind | undefined;
  /** Of a call or a hook around it: the call's id, the same for each attempt. */
  readonly callId?: string | undefined;
  /** Of a call: the call as the model made it, or as a person changed it. */
  readonly call?: FunctionCall | undefined;
  /** Of a call: what the tool says it does. Absent when no tool has the name. */
  readonly toolDescription?: string | undefined;
}
