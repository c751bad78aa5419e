import { AsyncResource } from "node:async_hooks";
import { DBOS, Error as DbosErrors, type WorkflowHandle } from "@dbos-inc/dbos-sdk";
import type { Json, RunEvent } from "@pollux/core";
import { type Op, type Outcome, settleStep, type Step, type Steps } from "@pollux/core/durable";
import { cancelJobs, type CheckedJobs, JobChecks } from "@pollux/engine";
import type { Database } from "./database.ts";
import { dbosSteering } from "./steering.ts";
import type { LiveRun } from "./live-run.ts";
import { type AgentWorkflow, receiveAnswer, childOutcome, endedChild, startChild, waitingFor } from "./external-ops.ts";
import { type SentAnswer, STATE_EVENT } from "./protocol.ts";
import { pause } from "./waiting.ts";

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
/** The operations of a round that have their outcome, and when all of them have. */
interface AnsweredWaits {
  readonly names: Set<string>;
  readonly all: Promise<unknown>;
}
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

  /** Does, one after another, the work that must precede a round's operations. */
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

  /**
   * Checks the jobs of a round until they have their answers: an outcome that is found is sent to the run, as an answer from outside is. Each
   * check is one step, so that the order of events depends on nothing else.
   */
  async function checkJobs(ops: readonly Op<RunEvent>[], answered: AnsweredWaits): Promise<void> {
    const checks = new JobChecks(ops);
    for (let due = checks.next(); due !== undefined; due = checks.next()) {
      const { at, names } = due;
      const name = `jobs/${names.join()}`;
      const run = async ({ signal }: Step<RunEvent>): Promise<CheckedJobs> => {
        const stop = new AbortController();
        const time = pause(Math.max(0, at - Date.now()), AbortSignal.any([signal, stop.signal]));
        await Promise.race([time, answered.all]).finally(() => stop.abort());
        const unanswered = names.filter((one) => !answered.names.has(one));
        for (const one of unanswered) {
          const value = await checks.ask(one, signal);
          if (value === undefined) continue;
          await DBOS.send<SentAnswer<Json>>(runId, { value, id: crypto.randomUUID() }, one, one);
          answered.names.add(one);
        }
        return { at: Date.now(), over: [...answered.names] };
      };
      const outcome = await DBOS.runStep(() => inStep({ kind: "step", name, run }, execution), { name });
      // Returned above, unless an outcome could not be sent.
      checks.note(outcome.ok ? (outcome.value as unknown as CheckedJobs) : { at, over: [] });
    }
  }

  async function round(ops: readonly Op<RunEvent>[]): Promise<Outcome[]> {
    const begun = await begin(ops);
    const waits = ops.some(({ kind }) => kind === "wait");
    if (waits) await DBOS.setEvent(STATE_EVENT, waitingFor(ops));
    // All of them must settle, so that none still writes after the run has stopped.
    const started = ops.map((op) => start(op, begun.get(op.name)));
    const names = new Set<string>();
    const noted = started.map((one, index) => one.finally(() => names.add(ops[index]?.name ?? "")));
    const [checked] = await Promise.allSettled([checkJobs(ops, { names, all: Promise.allSettled(noted) })]);
    const settled = await Promise.allSettled(started);
    const failed = [...settled, checked].find((one) => one.status === "rejected");
    if (failed !== undefined) {
      if (failed.reason instanceof DbosErrors.DBOSWorkflowCancelledError) await cancelJobs(ops);
      throw failed.reason;
    }
    const outcomes = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
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
