import type { Agent } from "@pollux/core";
import { describeError, type EngineRunInput, type RunReport, runSoFar } from "@pollux/core/durable";
import { batchEvents, cancelledReport, type EngineContext, runOnEngine } from "@pollux/engine";
import {
  CancelledError,
  handlers,
  type InvocationId,
  workflow,
  type WorkflowContext,
  type WorkflowDefinition,
} from "@restatedev/restate-sdk";
import { restateSteps } from "./restate-steps.ts";
import { type RunState, STATE, stateDuring } from "./run-state.ts";
import { sharedHandlers } from "./shared-handlers.ts";

/** Options of {@link agentWorkflow}. */
export interface AgentWorkflowOptions {
  /** The agents that are served as workflows, by name. */
  readonly agents: ReadonlyMap<string, Agent>;
  /** Makes the context of a run. */
  readonly context: EngineContext<unknown> | undefined;
  readonly inactivityTimeoutMs: number;
  readonly abortTimeoutMs: number;
  readonly retentionMs: number;
  /** Opens a new feed for an attempt's live events. */
  readonly openFeed: (agent: string, runId: string) => RunFeed;
}

/** Destination of one attempt's live events. */
export interface RunFeed {
  readonly push: Parameters<typeof batchEvents>[0];
  close(): void;
}

/** The handlers of an agent's workflow. */
export type AgentHandlers = typeof sharedHandlers & {
  run(ctx: WorkflowContext, start: EngineRunInput): Promise<RunReport>;
};

/** An agent as a Restate workflow with its name: the workflow's key is the run's id. */
export function agentWorkflow(agent: Agent, options: AgentWorkflowOptions): WorkflowDefinition<string, AgentHandlers> {
  const shared = Object.entries(sharedHandlers).map(([name, handler]) => [
    name,
    // Each has at most one input, and their journals are not read afterward.
    handlers.workflow.shared(
      { journalRetention: 0, idempotencyRetention: 600_000 },
      handler as (ctx: unknown, input: unknown) => Promise<unknown>,
    ),
  ]);
  return workflow<string, AgentHandlers>({
    name: agent.name,
    handlers: {
      ...(Object.fromEntries(shared) as typeof sharedHandlers),
      run: (ctx: WorkflowContext, start: EngineRunInput) => run(agent, ctx, start, options),
    },
    options: {
      inactivityTimeout: options.inactivityTimeoutMs,
      abortTimeout: options.abortTimeoutMs,
      workflowRetention: options.retentionMs,
    },
  });
}

/** Always returns a report: Restate would retry anything else. */
async function run(
  agent: Agent,
  ctx: WorkflowContext,
  start: EngineRunInput,
  { agents, context, openFeed }: AgentWorkflowOptions,
): Promise<RunReport> {
  const runId = ctx.key;
  const { id, attemptCompletedSignal } = ctx.request();
  const ours = new AbortController();
  const feed = openFeed(agent.name, runId);
  const over = (): void => {
    ours.abort(new DOMException("this attempt of the run is over", "AbortError"));
    feed.close();
  };
  attemptCompletedSignal.addEventListener("abort", over, { once: true });
  const events = batchEvents((batch) => feed.push(batch));
  let state: RunState = {
    runId,
    agent: agent.name,
    status: "running",
    turn: 0,
    steps: [],
    questions: [],
    children: [],
  };
  let report: RunReport;
  try {
    await ctx.promise<InvocationId>("begun").resolve(id);
    report = await runOnEngine(agent, start, {
      runId,
      agents,
      context,
      signal: ours.signal,
      steps: ({ signal }) =>
        restateSteps(ctx, {
          signal,
          children: new Set(agents.keys()),
          note: (ops) => ctx.set(STATE, (state = stateDuring(state, ops))),
          emit: (from, event) => events.emit(from, event),
          cancelled: (error) => ours.abort(error),
        }),
    });
  } catch (error) {
    report = buildReport(runId, error);
  }
  await events.close();
  over();
  // This loop can't finish the journal of another version. Throwing makes Restate retry until the right code is back.
  if (report.status === "failed" && report.error.name === "LoopVersionError") throw new Error(report.error.message);
  ctx.set(STATE, { ...state, status: report.status, steps: [], questions: [], children: [] });
  return report;
}

function buildReport(runId: string, error: unknown): RunReport {
  if (error instanceof CancelledError) return cancelledReport(runId, runSoFar(error));
  return { status: "failed", runId, activeMs: 0, error: describeError(error) };
}
