import type { DBOSClient, WorkflowStatus } from "@dbos-inc/dbos-sdk";
import type { RunReport } from "@pollux/core/durable";
import { cancelledReport, type EngineRunState } from "@pollux/engine";
import type { Connection } from "./connection.ts";
import type { Database } from "./database.ts";
import { STATE_EVENT, type WaitingFor } from "./protocol.ts";

/** The state of a run, or `undefined` if there is none with that id. */
export async function readState({ dbos, database }: Connection, runId: string): Promise<EngineRunState | undefined> {
  const client = await dbos();
  const workflow = await findWorkflow(client, runId);
  if (workflow === undefined) return undefined;
  const run = { runId, agent: workflow.workflowName, questions: [], children: [] };
  switch (workflow.status) {
    case "ENQUEUED":
    case "DELAYED":
      return { ...run, status: "queued" };
    case "PENDING":
      break;
    case "CANCELLED":
      return { ...run, status: "cancelled" };
    default:
      return { ...run, status: (await readReport(client, database, runId)).status };
  }
  const waiting = await client.getEvent<WaitingFor>(runId, STATE_EVENT, { timeoutSeconds: 0 });
  const names = waiting?.questions.map(({ name }) => name) ?? [];
  const answered = await findAnswered(database, runId, names);
  const questions = (waiting?.questions ?? []).filter(({ name }) => !answered.has(name));
  const inside = await client.listWorkflows({ parentWorkflowID: runId, status: ["PENDING", "ENQUEUED"], ...BRIEF });
  const children = inside.map(({ workflowName: agent, workflowID }) => ({ agent, runId: workflowID }));
  const rests = questions.length > 0 && questions.length === waiting?.questions.length && waiting.only;
  return { ...run, status: rests ? "waiting" : "running", questions, children };
}

/** How a run ended. Only for runs that are over. */
export async function readReport(client: DBOSClient, database: Database, runId: string): Promise<RunReport> {
  const workflow = await client.getWorkflow(runId);
  // An agent's workflow returns a report.
  if (workflow?.status === "SUCCESS") return workflow.output as RunReport;
  if (workflow?.status === "CANCELLED") {
    const sql = "SELECT report FROM pollux.cancelled WHERE run_id = $1";
    const [kept] = await database.query<{ report: RunReport }>(sql, [runId]);
    return kept?.report ?? cancelledReport(runId, undefined);
  }
  const error =
    workflow?.error instanceof Error ? workflow.error : new Error(`DBOS gave up on the run: ${workflow?.status}`);
  return { status: "failed", runId, activeMs: 0, error: { name: error.name, message: error.message } };
}

/** A workflow's row, without its input and output. */
export async function findWorkflow(client: DBOSClient, runId: string): Promise<WorkflowStatus | undefined> {
  const [workflow] = await client.listWorkflows({ workflowIDs: [runId], ...BRIEF });
  return workflow;
}

/** Names of the questions that have an answer, whether or not the run has read it. */
export async function findAnswered(
  { query, schema }: Database,
  runId: string,
  names: readonly string[],
): Promise<ReadonlySet<string>> {
  if (names.length === 0) return new Set();
  const sql = `SELECT DISTINCT topic FROM "${schema}".notifications WHERE destination_uuid = $1 AND topic = ANY($2)`;
  const rows = await query<{ topic: string }>(sql, [runId, names]);
  return new Set(rows.map(({ topic }) => topic));
}

const BRIEF = { loadInput: false, loadOutput: false };
