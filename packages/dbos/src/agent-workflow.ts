import { setMaxListeners } from "node:events";
import { DBOS } from "@dbos-inc/dbos-sdk";
import { type Agent, type Json, type RunEvent, runSoFar } from "@pollux/core";
import { cancelledReport, type EngineRunInput, type RunReport, runOnEngine, type Steps } from "@pollux/core/durable";
import type { Database } from "./database.ts";
import { dbosSteps } from "./dbos-steps.ts";
import { type LiveOptions, liveRun } from "./live-run.ts";
import type { AgentWorkflow } from "./external-ops.ts";

/** Shared by the workflows of one worker. */
export interface WorkflowHost {
  /** Open before any workflow runs. */
  readonly database: Database;
  readonly agents: ReadonlyMap<string, AgentWorkflow>;
  readonly live: LiveOptions | false;
  readonly pollMs: number;
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
    // The outcome of an interruption by the end of this process is not how the run ended: another worker continues it.
    if (host.closing) return await new Promise<never>(() => {});
    if (report.kind === "threw") {
      await keepCancelled(cancelledReport(runId, runSoFar(report.error)), host.database);
      throw report.error;
    }
    if (report.report.status === "cancelled") await keepCancelled(report.report, host.database);
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
    const execution = await countExecutions(runId, host.database);
    const { agents, database, pollMs } = host;
    const live = liveRun(runId, host.live);
    const steps = ({ signal }: { readonly signal: AbortSignal }): Steps<RunEvent> => {
      setMaxListeners(0, signal); // one listener per step in flight
      const cancel = (reason: unknown): void => abort.abort(reason);
      const closing = (): boolean => host.closing;
      return dbosSteps({ runId, signal, cancel, execution, pollMs, database, agents, live, closing });
    };
    // The input is what a client or a calling run sent.
    const start = input as unknown as EngineRunInput;
    const report = await runOnEngine(agent, start, { runId, signal: abort.signal, steps });
    // Readers disconnect when the run is over.
    await live.close();
    return { kind: "came", report };
  } catch (error) {
    return { kind: "threw", error };
  }
}

/** How often a run has been started, including this time. */
async function countExecutions(runId: string, database: Database): Promise<number> {
  const nonce = crypto.randomUUID();
  const first = await DBOS.runStep(() => Promise.resolve(nonce), { name: "begin" });
  if (first === nonce) return 1;
  const sql = `INSERT INTO pollux.restarts VALUES ($1, 1)
    ON CONFLICT (run_id) DO UPDATE SET restarts = pollux.restarts.restarts + 1 RETURNING restarts`;
  // It only helps readers recognize repeated events: not a reason to fail.
  const [row] = await database.query<{ restarts: number }>(sql, [runId]).catch(() => []);
  return 1 + (row?.restarts ?? 1);
}

/** What a cancelled run had done. DBOS keeps nothing of a cancelled workflow, so it is stored separately. */
async function keepCancelled(report: RunReport, { query, schema }: Database): Promise<void> {
  // A run that stopped here for another reason, such as a takeover, has no such report. Not `jsonb`, which rejects some texts
  // that are valid JSON.
  const sql = `INSERT INTO pollux.cancelled
    SELECT workflow_uuid, $2::json FROM "${schema}".workflow_status WHERE workflow_uuid = $1 AND status = 'CANCELLED'
    ON CONFLICT (run_id) DO UPDATE SET report = $2::json`;
  await query(sql, [report.runId, JSON.stringify(report)]).catch(() => []);
}
