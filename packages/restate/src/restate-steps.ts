import type { Content, RunEvent } from "@pollux/core";
import { type Op, type Outcome, settleStep, type Steps, waitTimedOut } from "@pollux/core/durable";
import type { EventSource } from "@pollux/engine";
import {
  CancelledError,
  type InvocationPromise,
  RestatePromise,
  type TerminalError,
  TimeoutError,
  type WorkflowContext,
} from "@restatedev/restate-sdk";
import { peekPromise, STEERING_OVER, steerName } from "./promises.ts";

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

/**
 * A run's operations as entries of a Restate journal. One await at a time, and only Restate's own combinators: anything else breaks
 * on replay. Retries happen inside the steps; Restate reruns one only if the attempt itself died.
 */
export function restateSteps(ctx: WorkflowContext, options: RestateStepsOptions): Steps<RunEvent> {
  const { signal, children } = options;
  // A `begin` entry with another value was written by an earlier attempt.
  const thisAttempt = crypto.randomUUID();
  const heard: (readonly Content[])[] = [];
  let closed = false;

  async function listen(): Promise<void> {
    for (;;) {
      if (closed) return;
      const said = await peekPromise<readonly Content[]>(ctx, steerName(heard.length));
      if (said === undefined) return;
      heard.push(said);
    }
  }

  /** Takes the place of the next message, so that whoever sends one is told. False if a message was there first, which is heard now. */
  async function close(): Promise<boolean> {
    if (closed) return true;
    const known = heard.length;
    try {
      await ctx.promise<string>(steerName(known)).resolve(STEERING_OVER);
      closed = true;
    } catch (error) {
      if (error instanceof CancelledError) throw error;
      await listen();
      if (heard.length === known) throw error;
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
        return readOutcome(op.timeoutMs === undefined ? answer : answer.orTimeout(op.timeoutMs), op);
      }
      case "child":
        return readOutcome(callRun(ctx, op), op);
    }
  }

  return {
    runId: ctx.key,
    children,
    steering: {
      take: async (after) =>
        heard.length > after ? { contents: heard.slice(after).flat(), upTo: heard.length } : undefined,
      waits: async (after) => {
        await listen();
        return heard.length > after || !(await close());
      },
      close: async (after) => {
        await listen();
        while (!(await close()));
        return heard.slice(after).flat();
      },
    },
    round: async (ops) => {
      options.note(ops);
      try {
        // Messages for a model step must be in the journal before it starts.
        if (ops.some(({ kind, place }) => kind === "step" && place?.kind === "model")) await listen();
        const attempts = await countAttempts(ops);
        return await RestatePromise.all(ops.map((op) => start(op, attempts)));
      } catch (error) {
        options.cancelled(error);
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
