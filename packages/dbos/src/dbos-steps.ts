import { AsyncResource } from "node:async_hooks";
import { DBOS, type WorkflowHandle } from "@dbos-inc/dbos-sdk";
import type { Json, RunEvent } from "@pollux/core";
import { type Op, type Outcome, settleStep, type Step, type Steps } from "@pollux/core/durable";
import type { Database } from "./database.ts";
import { dbosSteering } from "./steering.ts";
import type { LiveRun } from "./live-run.ts";
import { type AgentWorkflow, receiveAnswer, childOutcome, endedChild, startChild, waitingFor } from "./external-ops.ts";
import { STATE_EVENT } from "./protocol.ts";

/** Options of {@link dbosSteps}. */
export interface DbosStepsOptions {
  readonly runId: string;
  /** The run's signal, passed to the steps in flight. */
  readonly signal: AbortSignal;
  /** Aborts the run: it was cancelled. */
  readonly cancel: (reason: unknown) => void;
  /** How often this run has been started or resumed, from 1. */
  readonly execution: number;
  /** How often a waiting run polls the database, in milliseconds. */
  readonly pollMs: number;
  /** Stores what cancelled runs had done; without it, a cancelled nested run counts as having used nothing. */
  readonly database?: Database | undefined;
  /** Workflows of the served agents. */
  readonly agents: ReadonlyMap<string, AgentWorkflow>;
  /** Destination of live events, separate from the journal. */
  readonly live: LiveRun;
  /** True while this process is closing: interruptions by that are not recorded. */
  readonly closing: () => boolean;
}

type StepOp = Extract<Op<RunEvent>, { kind: "step" }>;
type Begun = ReadonlyMap<string, number | WorkflowHandle<Json>>;

/**
 * A run's operations as steps of a DBOS workflow. DBOS numbers steps in the order in which they are called, so all steps of a round
 * are called in order before any is awaited. Retries happen inside the steps; DBOS repeats one only if the process died.
 */
export function dbosSteps(options: DbosStepsOptions): Steps<RunEvent> {
  const { runId, execution, pollMs, agents } = options;
  // A `begin` entry with another value was written by an earlier process.
  const nonce = crypto.randomUUID();
  const steering = dbosSteering();

  async function inStep(op: StepOp, attempt: number): Promise<Outcome> {
    const cancelled = DBOS.stepStatus?.cancelSignal;
    const onCancel = (): void => options.cancel(cancelled?.reason);
    cancelled?.addEventListener("abort", onCancel, { once: true });
    const events = options.live.step(op.name, execution);
    // Events belong to the step they come from, no matter what code emits them.
    const here = new AsyncResource("pollux-step");
    const emit = (event: RunEvent): Promise<void> => here.runInAsyncScope(() => events.emit(event));
    const step: Step<RunEvent> = { key: `${runId}/${op.name}`, attempt, signal: options.signal, emit };
    try {
      return await settleStep(op, step);
    } catch (error) {
      // A rejection would be recorded as the step's outcome; only a promise that never settles records nothing.
      if (options.closing()) return await new Promise<never>(() => {});
      throw error;
    } finally {
      cancelled?.removeEventListener("abort", onCancel);
      here.runInAsyncScope(() => events.end());
    }
  }

  /** What must happen, one after another, before a round's operations start. */
  async function begin(ops: readonly Op<RunEvent>[]): Promise<Begun> {
    const begun = new Map<string, number | WorkflowHandle<Json>>();
    // Messages to the run are received before the model step that includes them.
    if (ops.some(({ kind, place }) => kind === "step" && place?.kind === "model")) await steering.listen();
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
    // All of them must settle, so that none still writes after the run has stopped.
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
