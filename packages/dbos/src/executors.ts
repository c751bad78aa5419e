import type { Logger } from "@pollux/core";
import type { Database } from "./database.ts";
import { deleteUnneeded } from "./run-records.ts";
import { takeOverOn } from "./take-over.ts";

/** A worker, as others see it. */
export interface Executor {
  readonly executorId: string;
  readonly applicationVersion: string;
  readonly agents: readonly string[];
}

/** Heartbeats and takeover of dead workers' runs. */
export interface WatchOptions {
  /** Milliseconds between heartbeats. @defaultValue 3_000 */
  readonly heartbeatMs?: number | undefined;
  /** Milliseconds without a heartbeat after which another executor counts as dead. @defaultValue 15_000 */
  readonly deadAfterMs?: number | undefined;
  /** Whether to take over the runs of dead executors. @defaultValue true */
  readonly takeOver?: boolean | undefined;
}

/** Rows that nobody needs any more are deleted at every so many heartbeats: once a minute, usually. */
const CLEAN_UP_BEATS = 20;

/**
 * Writes this worker's heartbeat and takes over the runs of workers whose heartbeats have stopped, until stopped itself.
 *
 * @returns A function that stops it and signs the worker off: the others take over its remaining runs at their next check.
 */
export async function watchExecutors(
  database: Database,
  executor: Executor,
  options: WatchOptions,
  logger: Pick<Logger, "info" | "warn">,
): Promise<() => Promise<void>> {
  const { heartbeatMs = 3_000, deadAfterMs = 15_000, takeOver = true } = options;
  let lastBeat = Date.now();
  let beats = 0;
  let patientUntil = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let looking: Promise<void> = Promise.resolve();
  let stopped = false;
  await beat();
  next();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await looking;
    await database
      .query("UPDATE pollux.executors SET heartbeat_at = '-infinity', claimed_at = NULL WHERE executor_id = $1", [
        executor.executorId,
      ])
      .catch(() => []);
  };

  function next(): void {
    if (!stopped) timer = setTimeout(() => void (looking = look().finally(next)), heartbeatMs);
  }

  async function look(): Promise<void> {
    try {
      await beat();
      if (++beats % CLEAN_UP_BEATS === 0) await deleteUnneeded(database, logger);
      // After a database outage, all look dead: they get time to show that they are not.
      if (Date.now() - lastBeat > heartbeatMs + deadAfterMs / 2) patientUntil = Date.now() + deadAfterMs;
      lastBeat = Date.now();
      if (!takeOver || lastBeat < patientUntil) return;
      for (const { executorId, runs } of await takeOverOn(database, deadAfterMs))
        for (const run of runs)
          logger.warn({ ...run, executorId }, "took over a run of an executor without a heartbeat");
    } catch (error) {
      logger.warn({ err: error }, "the heartbeat could not be written; retrying at the next interval");
    }
  }

  async function beat(): Promise<void> {
    await database.query(
      `INSERT INTO pollux.executors (executor_id, application_version, agents, heartbeat_at) VALUES ($1, $2, $3, now())
       ON CONFLICT (executor_id) DO UPDATE
       SET application_version = $2, agents = $3, heartbeat_at = now(), claimed_at = NULL`,
      [executor.executorId, executor.applicationVersion, executor.agents],
    );
  }
}
