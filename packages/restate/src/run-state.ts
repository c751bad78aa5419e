import type { PendingCall } from "@pollux/core";
import { type Op, parseStepName } from "@pollux/core/durable";

/** What can be read of a run while it is kept, from any process. */
export interface RunState {
  readonly runId: string;
  readonly agent: string;
  /** `waiting`: nothing goes on before somebody answers. The other three are the end; the report says more. */
  readonly status: "running" | "waiting" | "ended" | "failed" | "cancelled";
  /** Of the last model step; 0 before the first. */
  readonly turn: number;
  /** Names of the operations that are going on, such as `model:3` or `call:3.0`. */
  readonly steps: readonly string[];
  /** What is waited for, by the name under which it is answered. */
  readonly questions: readonly Question[];
  /** Runs of other agents that go on inside this one. */
  readonly children: readonly { readonly agent: string; readonly runId: string }[];
}

/** A question to somebody outside. */
export interface Question extends PendingCall {
  /** Name of the wait. */
  readonly name: string;
}

/** Key of the state in the workflow. */
export const STATE = "run";

/** The state while a round of operations goes on. Made of data of the journal only, so that it is the same on replay. */
export function stateOf(before: RunState, ops: readonly Op[]): RunState {
  const going = ops.filter((op) => op.kind !== "wait");
  const model = ops.map(({ name }) => parseStepName(name)).find((name) => name.kind === "model");
  return {
    ...before,
    status: ops.length > 0 && going.length === 0 ? "waiting" : "running",
    turn: model?.turn ?? before.turn,
    steps: going.map(({ name }) => name),
    questions: ops.flatMap((op) =>
      // The loop's own question, which it made from the call.
      op.kind === "wait" ? [{ ...(op.question as unknown as PendingCall), name: op.name }] : [],
    ),
    children: ops.flatMap((op) =>
      op.kind === "child" ? [{ agent: op.agent, runId: `${before.runId}:${op.name}` }] : [],
    ),
  };
}
