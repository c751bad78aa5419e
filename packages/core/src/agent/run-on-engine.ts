import { attachRunSoFar, NOTHING_YET, runSoFar } from "../loop/result.ts";
import type { RunEvent } from "../loop/events.ts";
import type { Limits } from "../loop/limits.ts";
import type { Steps } from "../durable/steps.ts";
import type { Agent } from "./agent.ts";
import type { EngineRunInput, RunReport } from "./engine-run.ts";
import { cancelledReport, endedReport, failedReport } from "./run-report.ts";
import { type Watch, watchedSteps } from "./watched-steps.ts";

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
  const watch: Watch = { activeMs: 0, endedAt: 0, stopped: undefined };
  try {
    const run = {
      runId,
      signal,
      limits: limitsOf(start.limits),
      prices: start.prices,
      steps: (opened: { readonly signal: AbortSignal }) => watchedSteps(on.steps({ signal: opened.signal }), watch),
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
function limitsOf(limits: Limits | undefined): Limits {
  const entries: readonly (readonly [string, unknown])[] = Object.entries(limits ?? {});
  return Object.fromEntries(entries.map(([name, limit]) => [name, limit === null ? Infinity : limit]));
}

function stop(reason: unknown): never {
  throw reason;
}
