import { AsyncResource } from "node:async_hooks";
import { DBOS, type WorkflowHandle } from "@dbos-inc/dbos-sdk";
import type { Json, RunEvent } from "@pollux/core";
import { type Op, type Outcome, parseStepName, settleStep, type Step, type Steps } from "@pollux/core/durable";
import type { Database } from "./database.ts";
import { dbosSteering } from "./steering.ts";
import type { LiveRun } from "./live-run.ts";
import { type AgentWorkflow, receiveAnswer, childOutcome, endedChild, startChild, waitingFor } from "./external-ops.ts";
import { STATE_EVENT } from "./protocol.ts";

/** What the steps of a run on DBOS need beside the workflow they are called in. */
export interface DbosStepsOptions {
  readonly runId: string;
  /** Of the run: told to the steps in flight. */
  readonly signal: AbortSignal;
  /** Aborts the run: it was cancelled. */
  readonly cancel: (reason: unknown) => void;
  /** How often this run was begun or taken up, from 1. */
  readonly execution: number;
  /** How often a run that waits looks into the database, in milliseconds. */
  readonly pollMs: number;
  /** Has what cancelled runs had done; without it, such a run inside this one counts as one that used nothing. */
  readonly database?: Database | undefined;
  /** Workflows of the agents that are served. */
  readonly agents: ReadonlyMap<string, AgentWorkflow>;
  /** Where live events go, beside the journal. */
  readonly live: LiveRun;
  /** True when this process is being closed: what is cut off by that leaves no trace. */
  readonly closing: () => boolean;
}

type StepOp = Extract<Op<RunEvent>, { kind: "step" }>;
type Begun = ReadonlyMap<string, number | WorkflowHandle<Json>>;

/**
 * A run's operations as steps of a DBOS workflow. DBOS numbers them in the order in which they are called, so all of a round are
 * called in order before any is awaited. Retrying happens inside the steps; DBOS never repeats one unless the process died.
 */
export function dbosSteps(options: DbosStepsOptions): Steps<RunEvent> {
  const { runId, execution, pollMs, agents } = options;
  // A `begin` entry with another value was made by a process before this one.
  const nonce = crypto.randomUUID();
  const steering = dbosSteering();

  async function inStep(op: StepOp, attempt: number): Promise<Outcome> {
    const cancelled = DBOS.stepStatus?.cancelSignal;
    const onCancel = (): void => options.cancel(cancelled?.reason);
    cancelled?.addEventListener("abort", onCancel, { once: true });
    const events = options.live.step(op.name, execution);
    // Events are written in the name of the step they come from, whoever emits them.
    const here = new AsyncResource("pollux-step");
    const emit = (event: RunEvent): Promise<void> => here.runInAsyncScope(() => events.emit(event));
    const step: Step<RunEvent> = { key: `${runId}/${op.name}`, attempt, signal: options.signal, emit };
    try {
      return await settleStep(op, step);
    } catch (error) {
      // A rejection would be recorded as the step's outcome; only a step that never ends leaves nothing behind.
      if (options.closing()) return await new Promise<never>(() => {});
      throw error;
    } finally {
      cancelled?.removeEventListener("abort", onCancel);
      here.runInAsyncScope(() => events.end());
    }
  }

  /** What has to be done in order, one after the other, before a round's operations start. */
  async function begin(ops: readonly Op<RunEvent>[]): Promise<Begun> {
    const begun = new Map<string, number | WorkflowHandle<Json>>();
    // What a model step is told is received before it.
    if (ops.some(({ kind, name }) => kind === "step" && parseStepName(name).kind === "model")) await steering.listen();
    for (const op of ops) {
      if (op.kind === "child") begun.set(op.name, await startChild(runId, op, agents));
      if (op.kind !== "step" || op.once !== true) continue;
      const value = await DBOS.runStep(() => Promise.resolve(nonce), { name: `begin:${op.name}` });
      begun.set(op.name, value === nonce ? 1 : 2);
    }
    return begun;
  }

  function start(op: Op<RunEvent>, begun: number | WorkflowHandle<Json> | undefined): Promise<Outcome> {
    if (op.kind === "step") {
      const attempt = typeof begun === "number" ? begun : execution;
      return DBOS.runStep(() => inStep(op, attempt), { name: op.name });
    }
    if (op.kind === "wait") return receiveAnswer(op, pollMs);
    return childOutcome(op, begun as WorkflowHandle<Json>, pollMs); // made by `begin`
  }

  async function round(ops: readonly Op<RunEvent>[]): Promise<Outcome[]> {
    const begun = await begin(ops);
    const waits = ops.some(({ kind }) => kind === "wait");
    if (waits) await DBOS.setEvent(STATE_EVENT, waitingFor(ops));
    // All are let end, so that none goes on writing after the run has stopped.
    const settled = await Promise.allSettled(ops.map((op) => start(op, begun.get(op.name))));
    const outcomes = settled.map((one) => {
      if (one.status === "rejected") throw one.reason;
      return one.value;
    });
    for (const [index, op] of ops.entries()) {
      const outcome = outcomes[index];
      if (op.kind === "child" && outcome?.ok === false && options.database !== undefined)
        outcomes[index] = await endedChild(runId, op, outcome, options.database);
    }
    if (waits) await DBOS.setEvent(STATE_EVENT, waitingFor([]));
    return outcomes;
  }

  return { runId, children: new Set(agents.keys()), steering, round };
}
