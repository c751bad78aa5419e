import type { Logger } from "@pollux/core";
import type { RunReport } from "@pollux/core/durable";
import type { Database } from "./database.ts";

/**
 * What this package stores of a run beside DBOS's own rows: how often it was restarted, for as long as it is active, and what it had
 * done when it was cancelled, for as long as DBOS keeps it. Rows say which of DBOS's schemas they belong to, since two applications
 * may share a database; older rows don't, and count as everybody's.
 */

/** Counts another start of a run and returns how many there were after the first. */
export async function countRestart({ query, schema }: Database, runId: string): Promise<number> {
  const sql = `INSERT INTO pollux.restarts (run_id, restarts, dbos_schema) VALUES ($1, 1, $2)
    ON CONFLICT (run_id) DO UPDATE SET restarts = pollux.restarts.restarts + 1 RETURNING restarts`;
  const [row] = await query<{ restarts: number }>(sql, [runId, schema]);
  return row?.restarts ?? 1;
}

/** Stores the report of a cancelled run. A run that stopped here for another reason, such as a takeover, has no such report. */
export async function storeCancelled({ query, schema }: Database, report: RunReport): Promise<void> {
  // Not `jsonb`, which rejects some texts that are valid JSON.
  const sql = `INSERT INTO pollux.cancelled (run_id, report, dbos_schema)
    SELECT workflow_uuid, $2::json, $3 FROM "${schema}".workflow_status WHERE workflow_uuid = $1 AND status = 'CANCELLED'
    ON CONFLICT (run_id) DO UPDATE SET report = $2::json`;
  await query(sql, [report.runId, JSON.stringify(report), schema]);
}

/** Deletes the rows that nobody needs any more. Any number of processes may do this at any time. Never rejects. */
export async function deleteUnneeded({ query, schema }: Database, logger: Pick<Logger, "warn">): Promise<void> {
  const unneededBut = (statuses: string): string => `coalesce(dbos_schema, $1) = $1 AND NOT EXISTS (
      SELECT FROM "${schema}".workflow_status WHERE workflow_uuid = run_id AND status IN (${statuses}))`;
  try {
    await query(`DELETE FROM pollux.restarts WHERE ${unneededBut("'PENDING', 'ENQUEUED', 'DELAYED'")}`, [schema]);
    await query(`DELETE FROM pollux.cancelled WHERE ${unneededBut("'CANCELLED'")}`, [schema]);
  } catch (error) {
    logger.warn({ err: error }, "rows of runs that are over could not be deleted; trying again later");
  }
}
