import { LOOP_VERSION, VERSION_STEP } from "../../durable/run-log.ts";
import type { Op, Outcome, Steps } from "../../durable/steps.ts";
import { LoopVersionError, RunStepError } from "../../errors/run-errors.ts";
import { isObject } from "../../internal/json.ts";
import type { RunEvent } from "../../loop/events.ts";
import type { Limits } from "../../loop/limits.ts";
import { attachRunSoFar, NOTHING_YET, runSoFar } from "../../loop/result.ts";
import type { Agent } from "../agent.ts";
import { cancelledReport, endedReport, type EngineRunInput, failedReport, type RunReport } from "./run-report.ts";

/** The engine's side of a run. */
export interface EngineRun {
  /** Makes the run's steps. Called once; the signal aborts when the run is aborted and when it ends. */
  readonly steps: (run: { readonly signal: AbortSignal }) => Steps<RunEvent>;
  /** The engine's id of the run. */
  readonly runId: string;
  /** Aborts the run. Unless `round` then rejects, the report is `cancelled`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs one agent on the steps of an engine and reports how the run ended; a failed run has a report too. Over the same outcomes, it
 * returns the same report again.
 *
 * The first step, `loop-version`, records the version of the loop; a run started by another version fails with `LoopVersionError`.
 *
 * @throws What `round` or `steering.waits` rejected with: the engine has cancelled or suspended the run. `runSoFar(error)` has what
 * was done before.
 */
export async function runOnEngine(agent: Agent, start: EngineRunInput, on: EngineRun): Promise<RunReport> {
  const { runId, signal } = on;
  const { input, output, limits, prices, parent } = start;
  const tracker = new StepTracker();
  try {
    const run = agent.stream(input, {
      runId,
      signal,
      output,
      limits: restoreLimits(limits),
      prices,
      parent,
      steps: (opened) => tracker.track(on.steps({ signal: opened.signal })),
    });
    // Iterated so that steps report live; the run's own events are not used.
    for await (const _ of run);
    const result = await run.result();
    if (tracker.stopped === undefined) return endedReport(runId, result, tracker.activeMs);
    // The loop returns a result for a suspended run; an engine resumes it instead.
    attachRunSoFar(tracker.stopped.reason, run.soFar ?? NOTHING_YET);
  } catch (error) {
    if (tracker.stopped === undefined)
      return signal?.aborted === true
        ? cancelledReport(runId, runSoFar(error), tracker.activeMs)
        : failedReport(runId, error, tracker.activeMs);
  }
  throw tracker.stopped.reason;
}

/** JSON turns infinity into `null`. */
function restoreLimits(limits: Limits | undefined): Limits {
  const entries: readonly (readonly [string, unknown])[] = Object.entries(limits ?? {});
  return Object.fromEntries(entries.map(([name, limit]) => [name, limit === null ? Infinity : limit]));
}

/** Tracks a run's steps from outside the loop. */
class StepTracker {
  /** What the steps rejected with: the engine stops the run here. */
  stopped: { readonly reason: unknown } | undefined;
  /** Milliseconds in which a step was running. */
  activeMs = 0;
  /** When the last step ended, in milliseconds since the epoch. */
  #endedAt = 0;

  /** Wraps the steps. Before the first round, checks which version of the loop started the run. */
  track(steps: Steps<RunEvent>): Steps<RunEvent> {
    const { runId, children, steering } = steps;
    let checked = false;
    return {
      runId,
      ...(children !== undefined && { children }),
      ...(steering !== undefined && {
        steering: {
          take: (after) => steering.take(after),
          ...(steering.waits !== undefined && {
            waits: (after) => this.#stopping(async () => (await steering.waits?.(after)) ?? false),
          }),
        },
      }),
      round: async (ops) => {
        if (!checked) await this.#checkVersion(steps);
        checked = true;
        const outcomes = await this.#stopping(() => steps.round(ops));
        const begun = this.#endedAt;
        for (const [index, op] of ops.entries()) this.#addOutcome(op, outcomes[index], begun);
        return outcomes;
      },
    };
  }

  async #stopping<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (reason) {
      this.stopped ??= { reason };
      throw reason;
    }
  }

  async #checkVersion(steps: Steps<RunEvent>): Promise<void> {
    const [outcome] = await this.#stopping(() =>
      steps.round([{ kind: "step", name: VERSION_STEP, run: () => Promise.resolve(LOOP_VERSION) }]),
    );
    if (outcome?.ok !== true)
      throw new RunStepError(`${VERSION_STEP} failed: ${outcome?.error.message}`, VERSION_STEP, {
        cause: outcome?.error,
      });
    if (outcome.value !== LOOP_VERSION)
      throw new LoopVersionError(steps.runId, Number(outcome.value), LOOP_VERSION, "or cancel it and start another");
  }

  #addOutcome(op: Op<RunEvent>, outcome: Outcome | undefined, begun: number): void {
    if (outcome?.ok !== true || !isObject(outcome.value)) return;
    const { startedAt, endedAt, activeMs } = outcome.value;
    if (op.kind === "step" && typeof startedAt === "number" && typeof endedAt === "number")
      this.#addActiveTime(startedAt, endedAt);
    // Children of one round run side by side: the longest counts.
    if (op.kind === "child" && typeof activeMs === "number") this.#addActiveTime(begun, begun + activeMs);
  }

  #addActiveTime(startedAt: number, endedAt: number): void {
    this.activeMs += Math.max(0, endedAt - Math.max(startedAt, this.#endedAt));
    this.#endedAt = Math.max(this.#endedAt, endedAt);
  }
}
