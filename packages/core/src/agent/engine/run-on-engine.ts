import { LOOP_VERSION, VERSION_STEP } from "../../durable/run-log.ts";
import type { Op, Outcome, Steps } from "../../durable/steps.ts";
import { LoopVersionError, RunStepError } from "../../errors/run-errors.ts";
import { isObject } from "../../internal/json.ts";
import type { RunEvent } from "../../loop/events.ts";
import type { Limits } from "../../loop/limits.ts";
import { attachRunSoFar, NOTHING_YET, runSoFar } from "../../loop/result.ts";
import type { Agent } from "../agent.ts";
import { cancelledReport, endedReport, type EngineRunInput, failedReport, type RunReport } from "./run-report.ts";

/** Where a run happens. */
export interface EngineRun {
  /** Makes the run's steps. Called once; the signal aborts when the run is aborted, and when it is over. */
  readonly steps: (run: { readonly signal: AbortSignal }) => Steps<RunEvent>;
  /** The engine's id of the run. */
  readonly runId: string;
  /** Aborts the run: what is under way ends. Unless `round` rejects then, the report says `cancelled`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs one agent on the steps of an engine, and says how that ended: a failure of the run is a report as well. Run again over the
 * same outcomes, it gives the same report.
 *
 * The first step, `loop-version`, keeps the version of the loop; a run that was begun by another one fails with `LoopVersionError`.
 *
 * @throws What `round` or `steering.waits` rejected with: the engine has cancelled the run, or lets it rest. `runSoFar(error)` has
 * what was done by then.
 */
export async function runOnEngine(agent: Agent, start: EngineRunInput, on: EngineRun): Promise<RunReport> {
  const { runId, signal } = on;
  const watch: StepTracker = { activeMs: 0, endedAt: 0, stopped: undefined };
  try {
    const run = {
      runId,
      signal,
      limits: restoreLimits(start.limits),
      prices: start.prices,
      parent: start.parent,
      steps: (opened: { readonly signal: AbortSignal }) => trackSteps(on.steps({ signal: opened.signal }), watch),
    };
    const stream =
      start.output === undefined
        ? agent.stream(start.input, run)
        : agent.stream(start.input, { ...run, output: start.output });
    // Read, so that steps report live; the events of the run itself have no reader here.
    for await (const _ of stream);
    const result = await stream.result();
    // The loop makes a result of a run that is suspended; an engine takes it up again.
    if (watch.stopped !== undefined) attachRunSoFar(watch.stopped.reason, stream.soFar ?? NOTHING_YET);
    return watch.stopped === undefined ? endedReport(runId, result, watch.activeMs) : stop(watch.stopped.reason);
  } catch (error) {
    if (watch.stopped !== undefined) throw watch.stopped.reason;
    if (signal?.aborted === true) return cancelledReport(runId, runSoFar(error), watch.activeMs);
    return failedReport(runId, error, watch.activeMs);
  }
}

/** JSON has no infinity: it comes as `null`. */
function restoreLimits(limits: Limits | undefined): Limits {
  const entries: readonly (readonly [string, unknown])[] = Object.entries(limits ?? {});
  return Object.fromEntries(entries.map(([name, limit]) => [name, limit === null ? Infinity : limit]));
}

function stop(reason: unknown): never {
  throw reason;
}

/** What is seen of a run's steps from outside of the loop. */
export interface StepTracker {
  /** What the steps rejected with; the engine wants the run to stop here. */
  stopped: { readonly reason: unknown } | undefined;
  /** Milliseconds in which a step was under way. */
  activeMs: number;
  /** When the last step ended, in milliseconds since the epoch. */
  endedAt: number;
}

/** The same steps, seen; before the first round they are asked which version of the loop began the run. */
export function trackSteps(steps: Steps<RunEvent>, watch: StepTracker): Steps<RunEvent> {
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
      for (const [index, op] of ops.entries()) addOutcome(op, outcomes[index], begun, watch);
      return outcomes;
    },
  };
}

async function waitsOf(steering: NonNullable<Steps["steering"]>, after: number): Promise<boolean> {
  return (await steering.waits?.(after)) ?? false;
}

function addOutcome(op: Op<RunEvent>, outcome: Outcome | undefined, begun: number, watch: StepTracker): void {
  if (outcome?.ok !== true || !isObject(outcome.value)) return;
  const { startedAt, endedAt, activeMs } = outcome.value;
  if (op.kind === "step" && typeof startedAt === "number" && typeof endedAt === "number")
    addActiveTime(startedAt, endedAt, watch);
  // Children of one round go side by side: the longest counts.
  if (op.kind === "child" && typeof activeMs === "number") addActiveTime(begun, begun + activeMs, watch);
}

function addActiveTime(startedAt: number, endedAt: number, watch: StepTracker): void {
  watch.activeMs += Math.max(0, endedAt - Math.max(startedAt, watch.endedAt));
  watch.endedAt = Math.max(watch.endedAt, endedAt);
}
