import type { Content, RunEvent } from "@pollux/core";
import { type Json, type Op, type Outcome, settleStep, type Steps, waitTimedOut } from "@pollux/core/durable";
import { cancelJobs, type EventSource, JobChecks, timeLeft } from "@pollux/engine";
import {
  CancelledError,
  type InvocationPromise,
  RestatePromise,
  type TerminalError,
  TimeoutError,
  type WorkflowContext,
} from "@restatedev/restate-sdk";
import { peekPromise, settlePromise, STEERING_OVER, steerName } from "./promises.ts";

/** Options of {@link restateSteps}. */
export interface RestateStepsOptions {
  /** Aborts the steps in flight: the run was cancelled, or this attempt is over. */
  readonly signal: AbortSignal;
  /** Names of the agents that are served as workflows. */
  readonly children: ReadonlySet<string>;
  /** Called before each round with its operations, for readers of the run's state. */
  readonly note: (ops: readonly Op<RunEvent>[]) => void;
  /** The run was cancelled: ends the steps in flight. */
  readonly cancelled: (error: unknown) => void;
  /** Live events, separate from the journal. */
  readonly emit: (from: EventSource, event: RunEvent) => Promise<void>;
}

type StepOp = Extract<Op<RunEvent>, { kind: "step" }>;

interface CheckedJob {
  readonly at: number;
  readonly found?: Json | undefined;
}

/**
 * A run's operations as entries of a Restate journal. One await at a time, and only Restate's own combinators: anything else breaks
 * on replay. Retries happen inside the steps; Restate reruns one only if the attempt itself died.
 */
export function restateSteps(ctx: WorkflowContext, options: RestateStepsOptions): Steps<RunEvent> {
  const { signal, children } = options;
  // A `begin` entry with another value was written by an earlier attempt.
  const thisAttempt = crypto.randomUUID();
  const received: (readonly Content[])[] = [];
  let closed = false;

  async function listen(): Promise<void> {
    for (;;) {
      if (closed) return;
      const contents = await peekPromise<readonly Content[]>(ctx, steerName(received.length));
      if (contents === undefined) return;
      received.push(contents);
    }
  }

  /**
   * Takes the place of the next message, so that a later sender gets an error. False if a message was there first; it
   * is read now.
   */
  async function close(): Promise<boolean> {
    if (closed) return true;
    const known = received.length;
    try {
      await ctx.promise<string>(steerName(known)).resolve(STEERING_OVER);
      closed = true;
    } catch (error) {
      if (error instanceof CancelledError) throw error;
      await listen();
      if (received.length === known) throw error;
    }
    return closed;
  }

  async function countAttempts(ops: readonly Op<RunEvent>[]): Promise<ReadonlyMap<string, number>> {
    const once = ops.filter((op) => op.kind === "step" && op.once === true);
    const begun = await RestatePromise.all(
      once.map(({ name }) => ctx.run(`begin:${name}`, () => thisAttempt, NO_RETRY)),
    );
    return new Map(once.map(({ name }, index) => [name, begun[index] === thisAttempt ? 1 : 2]));
  }

  async function settle(op: StepOp, attempt: number): Promise<Outcome> {
    const step = {
      key: `${ctx.key}/${op.name}`,
      attempt,
      signal,
      emit: (event: RunEvent) => options.emit({ runId: ctx.key, step: op.name, attempt }, event),
    };
    // It rejects when the signal has aborted: then nothing may be recorded, not even a failure.
    return await settleStep(op, step).catch(() => new Promise<never>(() => {}));
  }

  function start(op: Op<RunEvent>, attempts: ReadonlyMap<string, number>): RestatePromise<Outcome> {
    switch (op.kind) {
      case "step":
        return ctx.run(op.name, () => settle(op, attempts.get(op.name) ?? 1), NO_RETRY);
      case "wait": {
        const answer = ctx.promise<unknown>(op.name).get();
        const leftMs = timeLeft(op);
        return readOutcome(leftMs === undefined ? answer : answer.orTimeout(leftMs), op);
      }
      case "child":
        return readOutcome(callRun(ctx, op), op);
    }
  }

  /** Checks the jobs of a round until it is over: an outcome that is found settles the job's promise, as an answer from outside does. */
  async function checkJobs(ops: readonly Op<RunEvent>[], round: RestatePromise<Outcome[]>): Promise<void> {
    const checks = new JobChecks(ops);
    const ask = async (name: string): Promise<CheckedJob> => {
      // As in `settle`, nothing may be recorded then.
      const found = await checks.ask(name, signal).catch(() => new Promise<never>(() => {}));
      return { at: Date.now(), ...(found !== undefined && { found }) };
    };
    for (let due = checks.next(); due !== undefined; due = checks.next()) {
      // Only its beginning counts on replay.
      const time = ctx.sleep(Math.max(0, due.at - Date.now()));
      if (await RestatePromise.race([round.map(() => true), time.map(() => false)])) return;
      let at = due.at;
      const over: string[] = [];
      for (const name of due.names) {
        if ((await peekPromise(ctx, name)) === undefined) {
          const checked = await ctx.run(`${name}/check`, () => ask(name), NO_RETRY);
          ({ at } = checked);
          if (checked.found === undefined) continue;
          await settlePromise(ctx, name, checked.found);
        }
        over.push(name);
      }
      checks.note({ at, over });
    }
  }

  return {
    runId: ctx.key,
    children,
    steering: {
      take: async (after) =>
        received.length > after ? { contents: received.slice(after).flat(), upTo: received.length } : undefined,
      waits: async (after) => {
        await listen();
        return received.length > after || !(await close());
      },
      close: async (after) => {
        await listen();
        while (!(await close()));
        return received.slice(after).flat();
      },
    },
    round: async (ops) => {
      options.note(ops);
      try {
        // Messages for a model step must be in the journal before it starts.
        if (ops.some(({ kind, place }) => kind === "step" && place?.kind === "model")) await listen();
        const attempts = await countAttempts(ops);
        const round = RestatePromise.all(ops.map((op) => start(op, attempts)));
        await checkJobs(ops, round);
        return await round;
      } catch (error) {
        options.cancelled(error);
        if (error instanceof CancelledError && ops.some((op) => op.kind === "wait" && op.cancel !== undefined))
          await ctx.run("cancel-jobs", () => cancelJobs(ops), NO_RETRY);
        throw error;
      }
    },
  };
}

const NO_RETRY = { maxRetryAttempts: 1 };

function callRun(ctx: WorkflowContext, op: Extract<Op, { kind: "child" }>): InvocationPromise<unknown> {
  return ctx.workflowClient<Child>({ name: op.agent }, `${ctx.key}:${op.name}`).run(op.input);
}

interface Child {
  run(ctx: WorkflowContext, start: unknown): Promise<unknown>;
}

function readOutcome(promise: RestatePromise<unknown>, op: Op): RestatePromise<Outcome> {
  return promise.map((value, failure) =>
    failure === undefined ? ({ ok: true, value: value ?? null } as Outcome) : failed(failure, op),
  );
}

function failed(failure: TerminalError, op: Op): Outcome {
  if (failure instanceof TimeoutError && op.kind === "wait") return waitTimedOut(op.name, op.timeoutMs ?? 0);
  return { ok: false, error: { name: failure.name, message: failure.message } };
}
