import type { Agent, Approve, Json, Limits, ReadSource, RunEvent, RunSoFar } from "@pollux/core";
import type { Op, Outcome, Steps } from "@pollux/core/durable";
import { LoopVersionError, RunStepError } from "@pollux/core/errors";
import { NO_USAGE } from "@pollux/core/model";
import {
  attachRunSoFar,
  type EngineRunInput,
  LOOP_VERSION,
  ownApprove,
  readSources,
  type RunReport,
  runSoFar,
  VERSION_STEP,
  withoutKnown,
} from "@pollux/core/durable";
import { cancelledReport, endedReport, failedReport, type ReportTotals } from "./build-report.ts";

const NOTHING_YET: RunSoFar = { runId: "", contents: [], turns: 0, usage: NO_USAGE };

/** The engine's side of a run. */
export interface EngineRun {
  /** Makes the run's steps. Called once; the signal aborts when the run is aborted and when it ends. */
  readonly steps: (run: { readonly signal: AbortSignal }) => Steps<RunEvent>;
  /** The engine's id of the run. */
  readonly runId: string;
  /** Aborts the run. Unless `round` then rejects, the report is `cancelled`. */
  readonly signal?: AbortSignal | undefined;
  /** Makes what the run's tools and hooks get as `context`, each time that the run is started or continued in a process. */
  readonly context?: EngineContext<unknown> | undefined;
  /** The agents that are served here, by name: a run inside theirs asks their `approve`. @defaultValue none */
  readonly agents?: ReadonlyMap<string, Agent> | undefined;
}

/**
 * Makes the context of a run in the worker that has it: an engine stores only JSON. What it throws fails the run, so wait here for
 * services that may be away for a moment.
 */
export type EngineContext<Context> = (run: EngineRunInfo) => Context | Promise<Context>;

/** The `context` of a worker's options: required when one of its agents needs one. */
export type WorkerContext<Context> = undefined extends Context
  ? { readonly context?: EngineContext<Context> | undefined }
  : { readonly context: EngineContext<Context> };

/** An agent that a worker with this context can serve. */
export interface ServedAgent<Context> extends Pick<Agent, "name" | "model"> {
  readonly "~context"?: ((context: Context) => void) | undefined;
}

/** A run that needs a context. */
export interface EngineRunInfo {
  /** Name of the agent. */
  readonly agent: string;
  readonly runId: string;
  /** What started it, as JSON. */
  readonly start: EngineRunInput;
}

/**
 * Runs one agent on the steps of an engine and reports how the run ended; a failed run has a report too. Over the same outcomes, it
 * returns the same report again.
 *
 * The first step, `loop-version`, records the version of the loop; a run started by another version fails with `LoopVersionError`.
 *
 * @throws What `round` or `steering` rejected with: the engine has cancelled or suspended the run. `runSoFar(error)` has what
 * was done before.
 */
export async function runOnEngine(agent: Agent, start: EngineRunInput, on: EngineRun): Promise<RunReport> {
  const { runId, signal } = on;
  const { input, output, limits, prices, metadata, parent, reads, callers } = start;
  // A caller of an older release doesn't pass what it has read.
  const { read: known = callers && [{ tool: "agent", reads: "both" }] } = start;
  /** Only a caller gets the new sources; absent without any. */
  const reading = (read: readonly ReadSource[] | undefined): Pick<ReportTotals, "read"> => {
    const own = withoutKnown(read, known);
    return own.length > 0 || callers !== undefined ? { read: own } : {};
  };
  const tracker = new StepTracker(agent.name, start);
  try {
    const context = await on.context?.({ agent: agent.name, runId, start });
    const run = agent.stream(input, {
      // Its type was checked where the worker was made.
      context: context as undefined,
      metadata,
      runId,
      signal,
      output,
      limits: restoreLimits(limits),
      prices,
      parent,
      reads,
      read: known,
      approve: chooseApprove(agent, start, on.agents),
      steps: (opened) => tracker.track(on.steps({ signal: opened.signal })),
    });
    // Iterated so that steps report live; the run's own events are not used.
    for await (const _ of run);
    const result = await run.result();
    const totals = await tracker.close();
    if (totals !== undefined) return endedReport(runId, result, { ...totals, ...reading(readSources(result)) });
    // The loop returns a result for a suspended run; an engine resumes it instead.
    attachRunSoFar(tracker.stopReason, run.soFar ?? NOTHING_YET);
  } catch (error) {
    if (!tracker.isStopped && signal?.aborted === true)
      return cancelledReport(runId, runSoFar(error), {
        activeMs: tracker.activeMs,
        ...reading(runSoFar(error)?.read),
      });
    // Another version of the loop may still take the run's messages.
    const totals = error instanceof LoopVersionError ? { activeMs: tracker.activeMs } : await tracker.close();
    if (totals !== undefined) return failedReport(runId, error, { ...totals, ...reading(runSoFar(error)?.read) });
    if (error !== tracker.stopReason) attachRunSoFar(tracker.stopReason, runSoFar(error) ?? NOTHING_YET);
  }
  throw tracker.stopReason;
}

/**
 * Decides about the calls of a run: its own agent's `approve`, or the `approve` of the nearest agent that called it.
 * Each worker that has the run looks it up again, because it depends on the code that is served now.
 */
function chooseApprove(agent: Agent, start: EngineRunInput, served: EngineRun["agents"]): Approve | undefined {
  const { callers = [], path = [] } = start;
  let approve = ownApprove(agent);
  for (const name of callers.toReversed()) {
    if (approve !== undefined) break;
    const caller = served?.get(name);
    // An agent further out could be the wrong one to ask.
    if (caller === undefined) break;
    approve = ownApprove(caller);
  }
  if (approve === undefined || path.length === 0) return approve;
  const ask = approve;
  return (pending, run) => ask({ ...pending, path: [...path, ...(pending.path ?? [])] }, run);
}

/** JSON turns infinity into `null`. */
function restoreLimits(limits: Limits | undefined): Limits {
  const entries: readonly (readonly [string, unknown])[] = Object.entries(limits ?? {});
  return Object.fromEntries(entries.map(([name, limit]) => [name, limit === null ? Infinity : limit]));
}

/** Tracks a run's steps from outside the loop. */
class StepTracker {
  /** The steps rejected: the engine stops the run here. */
  isStopped = false;
  /** What they rejected with. */
  stopReason: unknown;
  /** Milliseconds in which a step was running. */
  activeMs = 0;
  /** When the last step ended, in milliseconds since the epoch. */
  #endedAt = 0;
  readonly #agent: string;
  readonly #start: EngineRunInput;
  /** Messages up to this position are in requests. */
  #readUpTo = 0;
  #steering: Steps["steering"];

  constructor(agent: string, start: EngineRunInput) {
    this.#agent = agent;
    this.#start = start;
  }

  /** Wraps the steps. Before the first round, checks which version of the loop started the run. */
  track(steps: Steps<RunEvent>): Steps<RunEvent> {
    const { runId, children, steering } = steps;
    this.#steering = steering;
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
        const outcomes = await this.#stopping(() => steps.round(ops.map((op) => this.#addCaller(op))));
        const begun = this.#endedAt;
        for (const [index, op] of ops.entries()) this.#addOutcome(op, outcomes[index], begun);
        return outcomes;
      },
      recorded: (name) => steps.recorded?.(name) ?? { begun: false },
    };
  }

  /** Takes no more messages. Undefined when the engine stopped the run, here or before. */
  async close(): Promise<ReportTotals | undefined> {
    if (this.isStopped) return undefined;
    try {
      const unread = (await this.#stopping(async () => this.#steering?.close?.(this.#readUpTo))) ?? [];
      return { activeMs: this.activeMs, ...(unread.length > 0 && { unread }) };
    } catch {
      return undefined;
    }
  }

  /** Adds the callers to the input of a run inside this one. */
  #addCaller(op: Op<RunEvent>): Op<RunEvent> {
    if (op.kind !== "child" || !isObject(op.input)) return op;
    const { callers = [], path = [] } = this.#start;
    // Made by the agent's tool.
    const { path: tool = [] } = op.input as Pick<EngineRunInput, "path">;
    return { ...op, input: { ...op.input, callers: [...callers, this.#agent], path: [...path, ...tool] } as Json };
  }

  async #stopping<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (reason) {
      if (!this.isStopped) this.stopReason = reason;
      this.isStopped = true;
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
    const { startedAt, endedAt, activeMs, steered } = outcome.value;
    if (op.kind === "step" && isObject(steered) && typeof steered["upTo"] === "number")
      this.#readUpTo = steered["upTo"];
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

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
