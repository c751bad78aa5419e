import { type Database, type DatabaseOptions, openDatabase } from "./database.ts";
import { QUEUE, WORKFLOW_CLASS } from "./protocol.ts";

/** When an executor counts as dead. */
export interface TakeOverOptions extends DatabaseOptions {
  /** Milliseconds without a heartbeat after which an executor counts as dead. @defaultValue 15_000 */
  readonly deadAfterMs?: number | undefined;
}

/** The runs taken over from one dead executor. */
export interface TakenOver {
  readonly executorId: string;
  readonly runIds: readonly string[];
}

/** Milliseconds after which a helper's unfinished claim on an executor expires. */
const CLAIM_MS = 30_000;

/**
 * Finds executors without a heartbeat and puts their runs back on the queue, where any worker of the same application version
 * picks them up. Any number of helpers may do this concurrently: each dead executor is claimed by one of them.
 *
 * An executor that is alive but silent (blocked, or cut off from the database) continues until its next write, which DBOS
 * refuses: the step it is in may run twice.
 *
 * @throws {EngineError} If the database doesn't answer or has no tables yet.
 */
export async function takeOver(options: TakeOverOptions): Promise<readonly TakenOver[]> {
  const database = openDatabase(options);
  try {
    const taken = await takeOverOn(database, options.deadAfterMs);
    return taken.map(({ executorId, runs }) => ({ executorId, runIds: runs.map(({ runId }) => runId) }));
  } finally {
    await database.close();
  }
}

/** A dead executor and the runs taken over from it. */
export interface TakenRuns {
  readonly executorId: string;
  readonly runs: readonly { readonly runId: string; readonly agent: string }[];
}

/** The same over an open connection. */
export async function takeOverOn(database: Database, deadAfterMs: number = 15_000): Promise<readonly TakenRuns[]> {
  // One statement, so only one of two helpers gets the row. The claim expires, in case its helper dies as well.
  const dead = await database.query<{ executor_id: string }>(
    `UPDATE pollux.executors SET claimed_at = now()
     WHERE heartbeat_at < now() - $1 * interval '1 millisecond'
       AND (claimed_at IS NULL OR claimed_at < now() - $2 * interval '1 millisecond')
     RETURNING executor_id`,
    [deadAfterMs, CLAIM_MS],
  );
  const taken: TakenRuns[] = [];
  for (const { executor_id: executorId } of dead) {
    const runs = await requeue(database, executorId);
    // An executor that is back has a new heartbeat and keeps its row.
    await database.query(
      `DELETE FROM pollux.executors
       WHERE executor_id = $1 AND heartbeat_at < now() - $2 * interval '1 millisecond'`,
      [executorId, deadAfterMs],
    );
    taken.push({ executorId, runs });
  }
  return taken;
}

/**
 * Puts an executor's runs back on the queue. Does to each what DBOS's own `resumeWorkflows` does, but in one statement and only to runs
 * that are still the executor's: `resumeWorkflows` would also revive one that is being cancelled at this moment.
 */
async function requeue({ query, schema }: Database, executorId: string): Promise<TakenRuns["runs"]> {
  const rows = await query<{ workflow_uuid: string; name: string }>(
    `UPDATE "${schema}".workflow_status
     SET status = 'ENQUEUED', owner_xid = NULL, queue_name = $2, recovery_attempts = 0, workflow_deadline_epoch_ms = NULL,
         deduplication_id = NULL, started_at_epoch_ms = NULL, completed_at = NULL,
         updated_at = (EXTRACT(EPOCH FROM now()) * 1000)::bigint
     WHERE executor_id = $1 AND class_name = $3 AND status = 'PENDING'
     RETURNING workflow_uuid, name`,
    [executorId, QUEUE, WORKFLOW_CLASS],
  );
  return rows.map(({ workflow_uuid: runId, name: agent }) => ({ runId, agent }));
}
