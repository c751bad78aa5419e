import type { Op, Outcome, Steps } from "../durable/steps.ts";
import { RunStepError } from "../errors/run-errors.ts";
import { LoopVersionError } from "../errors/session-errors.ts";
import { isObject } from "../internal/json.ts";
import type { RunEvent } from "../loop/events.ts";
import { LOOP_VERSION, VERSION_STEP } from "../durable/run-log.ts";

/** What is seen of a run's steps from outside of the loop. */
export interface Watch {
  /** What the steps rejected with; the engine wants the run to stop here. */
  stopped: { readonly reason: unknown } | undefined;
  /** Milliseconds in which a step was under way. */
  activeMs: number;
  /** When the last step ended, in milliseconds since the epoch. */
  endedAt: number;
}

/** The same steps, seen; before the first round they are asked which version of the loop began the run. */
export function watchedSteps(steps: Steps<RunEvent>, watch: Watch): Steps<RunEvent> {
  const { runId, children, steering } = steps;
  let checked = false;

  async function stopping<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (reason) {
      watch.stopped ??= { reason };
      throw reason;
    }
  }

  async function checkVersion(): Promise<void> {
    checked = true;
    const [outcome] = await stopping(
      steps.round([{ kind: "step", name: VERSION_STEP, run: () => Promise.resolve(LOOP_VERSION) }]),
    );
    if (outcome?.ok !== true)
      throw new RunStepError(`${VERSION_STEP} failed: ${outcome?.error.message}`, VERSION_STEP, {
        cause: outcome?.error,
      });
    if (outcome.value !== LOOP_VERSION)
      throw new LoopVersionError(runId, Number(outcome.value), LOOP_VERSION, "or cancel it and begin another");
  }

  return {
    runId,
    ...(children !== undefined && { children }),
    ...(steering !== undefined && {
      steering: {
        take: (after) => steering.take(after),
        ...(steering.waits !== undefined && { waits: (after) => stopping(waitsOf(steering, after)) }),
      },
    }),
    round: async (ops) => {
      if (!checked) await checkVersion();
      const outcomes = await stopping(steps.round(ops));
      const begun = watch.endedAt;
      for (const [index, op] of ops.entries()) sawOutcome(op, outcomes[index], begun, watch);
      return outcomes;
    },
  };
}

async function waitsOf(steering: NonNullable<Steps["steering"]>, after: number): Promise<boolean> {
  return (await steering.waits?.(after)) ?? false;
}

function sawOutcome(op: Op<RunEvent>, outcome: Outcome | undefined, begun: number, watch: Watch): void {
  if (outcome?.ok !== true || !isObject(outcome.value)) return;
  const { startedAt, endedAt, activeMs } = outcome.value;
  if (op.kind === "step" && typeof startedAt === "number" && typeof endedAt === "number")
    sawTime(startedAt, endedAt, watch);
  // Children of one round go side by side: the longest counts.
  if (op.kind === "child" && typeof activeMs === "number") sawTime(begun, begun + activeMs, watch);
}

function sawTime(startedAt: number, endedAt: number, watch: Watch): void {
  watch.activeMs += Math.max(0, endedAt - Math.max(startedAt, watch.endedAt));
  watch.endedAt = Math.max(watch.endedAt, endedAt);
}
