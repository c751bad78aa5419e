import { type EngineRunState, type Op, parseStepName, questionsIn } from "@pollux/core/durable";

/** What can be read of a run while it is kept, from any process. */
export interface RunState extends EngineRunState {
  /** Of the last model step; 0 before the first. */
  readonly turn: number;
  /** Names of the operations that are going on, such as `model:3` or `call:3.0`. */
  readonly steps: readonly string[];
}

/** Key of the state in the workflow. */
export const STATE = "run";

/** The state while a round of operations goes on. Made of data of the journal only, so that it is the same on replay. */
export function stateDuring(before: RunState, ops: readonly Op[]): RunState {
  const going = ops.filter((op) => op.kind !== "wait");
  const model = ops.map(({ name }) => parseStepName(name)).find((name) => name.kind === "model");
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
