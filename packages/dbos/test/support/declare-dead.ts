import pg from "pg";

/**
 * Has a worker count as dead from now on, as if it had not been heard of for very long. For tests with several workers: there is
 * no time of silence that a live worker on a busy machine could not reach.
 */
export async function declareDead(databaseUrl: string, executorId: string): Promise<void> {
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  try {
    const sql = "UPDATE pollux.executors SET heartbeat_at = '-infinity' WHERE executor_id = $1";
    await database.query(sql, [executorId]);
  } finally {
    await database.end();
  }
}
