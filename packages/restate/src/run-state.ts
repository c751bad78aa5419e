import type { Op } from "@pollux/core/durable";
import { type EngineRunState, questionsIn } from "@pollux/engine";

/** The state of a run, readable from any process while it is kept. */
export interface RunState extends EngineRunState {
  /** Turn of the last model step; 0 before the first. */
  readonly turn: number;
  /** Names of the operations in progress, such as `model:3` or `call:3.0`. */
  readonly steps: readonly string[];
}

/** Key of the state in the workflow. */
export const STATE = "run";

/** The state during a round of operations. Derived only from journaled data, so that it is the same on replay. */
export function stateDuring(before: RunState, ops: readonly Op[]): RunState {
  const going = ops.filter((op) => op.kind !== "wait");
  const model = ops.find(({ place }) => place?.kind === "model")?.place;
  return {
    ...before,
    status: ops.length > 0 && going.length === 0 ? "waiting" : "running",
    turn: model?.turn ?? before.turn,
    steps: going.map(({ name }) => name),
    questions: questionsIn(ops),
    children: ops.flatMap((op) =>
      op.kind === "child" ? [{ agent: op.agent, runId: `${before.runId}:${op.name}` }] : [],
    ),
  };
}
