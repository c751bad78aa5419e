import { DBOS, type WorkflowHandle } from "@dbos-inc/dbos-sdk";
import type { Json } from "@pollux/core";
import { type Op, type Outcome, waitTimedOut } from "@pollux/core/durable";
import { questionsIn, timeLeft } from "@pollux/engine";
import type { Database } from "./database.ts";
import { LAST_WORDS_MS, LONGEST_WAIT_S, type SentAnswer, type WaitingFor } from "./protocol.ts";
import { pause } from "./waiting.ts";

/** An agent's workflow, as registered. */
export type AgentWorkflow = (input: Json) => Promise<Json>;

type WaitOp = Extract<Op, { kind: "wait" }>;
type ChildOp = Extract<Op, { kind: "child" }>;

/** Waits for the answer to a question. An answer that came before the question is available immediately. */
export async function receiveAnswer(op: WaitOp, pollMs: number): Promise<Outcome> {
  // Only its beginning counts on replay: DBOS records when it ends.
  const timeoutSeconds = (timeLeft(op) ?? LONGEST_WAIT_S * 1000) / 1000;
  const answer = await DBOS.recv<SentAnswer<Json>>(op.name, { timeoutSeconds, pollingIntervalMs: pollMs });
  return answer === null
    ? waitTimedOut(op.name, op.timeoutMs ?? LONGEST_WAIT_S * 1000)
    : { ok: true, value: answer.value };
}

/** Starts another agent's run. The children of a round are started one after another, since DBOS numbers them too. */
export async function startChild(
  runId: string,
  op: ChildOp,
  agents: ReadonlyMap<string, AgentWorkflow>,
): Promise<WorkflowHandle<Json>> {
  const workflow = agents.get(op.agent);
  if (workflow === undefined) throw new TypeError(`${op.name}: no agent named ${op.agent} is served`);
  return await DBOS.startWorkflow(workflow, { workflowID: `${runId}:${op.name}` })(op.input);
}

/** How another agent's run ended. */
export async function childOutcome(op: ChildOp, child: WorkflowHandle<Json>, pollMs: number): Promise<Outcome> {
  try {
    return { ok: true, value: await child.getResult({ pollingIntervalMs: pollMs }) };
  } catch (error) {
    // If the parent was cancelled as well, its next step reports it.
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    return { ok: false, error: { name, message: `${op.name} (${op.agent}): ${message}` } };
  }
}

/**
 * The report of another agent's run that DBOS ended, such as one cancelled without its caller: its usage counts. Always a step of
 * its own, so that a rerun has the same steps.
 */
export async function endedChild(runId: string, op: ChildOp, failed: Outcome, database: Database): Promise<Outcome> {
  const childId = `${runId}:${op.name}`;
  const value = await DBOS.runStep(() => lastWords(childId, database), { name: `${op.name}/report` });
  return value === null ? failed : { ok: true, value };
}

async function lastWords(runId: string, { query, schema }: Database): Promise<Json> {
  const sql = `SELECT status, report FROM "${schema}".workflow_status
    LEFT JOIN pollux.cancelled ON run_id = workflow_uuid WHERE workflow_uuid = $1`;
  for (const until = Date.now() + LAST_WORDS_MS; ;) {
    const [row] = await query<{ status: string; report: Json }>(sql, [runId]).catch(() => []);
    if (row?.status !== "CANCELLED") return null;
    if (row.report !== null || Date.now() >= until) return row.report;
    await pause(50, undefined);
  }
}

/** What a round of operations is waiting for, for readers of the run's state. */
export function waitingFor(ops: readonly Op[]): WaitingFor {
  const questions = questionsIn(ops);
  return { questions, only: questions.length === ops.length };
}
