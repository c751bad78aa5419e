import type { Model } from "../model/model.ts";
import type { FunctionCall } from "../wire/types/content.ts";
import type { Approve, ParentStep, Tool, ToolOutcome } from "./tool.ts";

/**
 * What stands in for the world around a run: a run option that reaches its handovers and the runs inside it, too. Instructions, schemas,
 * checks, hooks, guardrails and limits are the agent's own.
 */
export interface Rehearsal {
  /** The model that answers in an agent's place. @defaultValue the agent's own */
  readonly model?: ((asked: Model, at: RehearsedRun) => Model) | undefined;
  /**
   * Answers a call in place of its tool: after its arguments were checked and approved. `undefined` runs the tool.
   * @defaultValue all tools run
   */
  readonly call?: ((call: RehearsedCall) => Promise<ToolOutcome | undefined>) | undefined;
  /** Decides in place of the agent's own `approve`. @defaultValue the agent's own */
  readonly approve?: Approve | undefined;
  /** Milliseconds since the epoch. @defaultValue the clock */
  readonly now?: (() => number) | undefined;
}

/** The run that asks. */
export interface RehearsedRun {
  readonly runId: string;
  /** Name of the agent that leads it. */
  readonly agent: string;
  /** The step of another run that contains it. */
  readonly parent?: ParentStep | undefined;
}

/** A call that is about to be made. */
export interface RehearsedCall extends Omit<RehearsedRun, "parent"> {
  readonly turn: number;
  /** Unique in the run, such as `call:3.0`. */
  readonly callId: string;
  readonly call: FunctionCall;
  readonly tool: Tool;
}
