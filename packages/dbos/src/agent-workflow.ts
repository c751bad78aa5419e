import { setMaxListeners } from "node:events";
import { DBOS } from "@dbos-inc/dbos-sdk";
import { type Agent, type Json, type Logger, type RunEvent, runSoFar } from "@pollux/core";
import type { EngineRunInput, RunReport, Steps } from "@pollux/core/durable";
import { cancelledReport, type EngineContext, runOnEngine } from "@pollux/engine";
import type { Database } from "./database.ts";
import { countRestart, storeCancelled } from "./run-records.ts";
import { dbosSteps } from "./dbos-steps.ts";
import { type LiveOptions, liveRun } from "./live-run.ts";
import type { AgentWorkflow } from "./external-ops.ts";

/** Shared by the workflows of one worker. */
export interface WorkflowHost {
  /** Open before any workflow runs. */
  readonly database: Database;
  readonly agents: ReadonlyMap<string, Agent>;
  readonly workflows: ReadonlyMap<string, AgentWorkflow>;
  /** Makes the context of a run. */
  readonly context: EngineContext<unknown> | undefined;
  readonly live: LiveOptions | false;
  readonly pollMs: number;
  readonly logger: Pick<Logger, "info" | "warn">;
  /** Runs currently in this process. */
  readonly running: Set<AbortController>;
  closing: boolean;
}

/** The workflow function registered for an agent: its input is an `EngineRunInput`, its output a `RunReport`. */
export function agentWorkflow(agent: Agent, host: WorkflowHost): AgentWorkflow {
  return async (input) => {
    const runId = DBOS.workflowID;
    if (runId === undefined)
      throw new TypeError(`${agent.name} is a workflow: start it with start() or DBOS.startWorkflow`);
    const abort = new AbortController();
    host.running.add(abort);
    const report = await runToEnd(agent, input, { runId, abort, host }).finally(() => host.running.delete(abort));
    // An outcome that comes from the end of this process is not the run's: another worker continues it.
    if (host.closing) return await new Promise<never>(() => {});
    if (report.kind === "threw") {
      await keepCancelled(agent.name, cancelledReport(runId, runSoFar(report.error)), host);
      throw report.error;
    }
    if (report.report.status === "cancelled") await keepCancelled(agent.name, report.report, host);
    // Plain JSON by contract.
    return report.report as unknown as Json;
  };
}

type Ending =
  | { readonly kind: "came"; readonly report: RunReport }
  | { readonly kind: "threw"; readonly error: unknown };

interface ThisRun {
  readonly runId: string;
  readonly abort: AbortController;
  readonly host: WorkflowHost;
}

async function runToEnd(agent: Agent, input: Json, { runId, abort, host }: ThisRun): Promise<Ending> {
  try {
    const execution = await countExecutions(agent.name, runId, host);
    const { agents, workflows, context, database, pollMs } = host;
    const live = liveRun(runId, host.live);
    const steps = ({ signal }: { readonly signal: AbortSignal }): Steps<RunEvent> => {
      setMaxListeners(0, signal); // one listener per step in flight
      const cancel = (reason: unknown): void => abort.abort(reason);
      const closing = (): boolean => host.closing;
      return dbosSteps({ runId, signal, cancel, execution, pollMs, database, agents: workflows, live, closing });
    };
    // The input is what a client or a calling run sent.
    const start = input as unknown as EngineRunInput;
    const report = await runOnEngine(agent, start, { runId, signal: abort.signal, steps, agents, context });
    // Readers disconnect when the run is over.
    await live.close();
    return { kind: "came", report };
  } catch (error) {
    return { kind: "threw", error };
  }
}

/** How often a run has been started, including this time. */
async function countExecutions(agent: string, runId: string, { database, logger }: WorkflowHost): Promise<number> {
  const nonce = crypto.randomUUID();
  const first = await DBOS.runStep(() => Promise.resolve(nonce), { name: "begin" });
  if (first === nonce) return 1;
  try {
    return 1 + (await countRestart(database, runId));
  } catch (error) {
    // It only helps readers recognize repeated events: not a reason to fail.
    logger.warn({ runId, agent, err: error }, "the restart of a run could not be counted");
    return 2;
  }
}

/** Stores the report of a cancelled run separately: DBOS keeps nothing of a cancelled workflow. */
async function keepCancelled(agent: string, report: RunReport, { database, logger }: WorkflowHost): Promise<void> {
  try {
    await storeCancelled(database, report);
  } catch (error) {
    const { runId } = report;
    logger.warn({ runId, agent, err: error }, "the report of a cancelled run could not be stored");
  }
}
