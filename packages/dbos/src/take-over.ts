import { DBOSClient } from "@dbos-inc/dbos-sdk";
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
    return await takeOverOn(database, options.deadAfterMs);
  } finally {
    await database.close();
  }
}

/** The same over an open connection. */
export async function takeOverOn(database: Database, deadAfterMs: number = 15_000): Promise<readonly TakenOver[]> {
  // One statement, so only one of two helpers gets the row. The claim expires, in case its helper dies as well.
  const dead = await database.query<{ executor_id: string }>(
    `UPDATE pollux.executors SET claimed_at = now()
     WHERE heartbeat_at < now() - $1 * interval '1 millisecond'
       AND (claimed_at IS NULL OR claimed_at < now() - $2 * interval '1 millisecond')
     RETURNING executor_id`,
    [deadAfterMs, CLAIM_MS],
  );
  if (dead.length === 0) return [];
  const client = await DBOSClient.create({
    systemDatabaseUrl: database.url ?? "",
    systemDatabasePool: database.pool,
    systemDatabaseSchemaName: database.schema,
  });
  const taken: TakenOver[] = [];
  try {
    for (const { executor_id: executorId } of dead) {
      const runs = await client.listWorkflows({ status: "PENDING", executorId, loadInput: false, loadOutput: false });
      const runIds = runs.filter((run) => run.workflowClassName === WORKFLOW_CLASS).map((run) => run.workflowID);
      if (runIds.length > 0) await client.resumeWorkflows(runIds, { queueName: QUEUE });
      // An executor that is back has a new heartbeat and keeps its row.
      await database.query(
        `DELETE FROM pollux.executors
         WHERE executor_id = $1 AND heartbeat_at < now() - $2 * interval '1 millisecond'`,
        [executorId, deadAfterMs],
      );
      taken.push({ executorId, runIds });
    }
  } finally {
    await client.destroy();
  }
  return taken;
}
