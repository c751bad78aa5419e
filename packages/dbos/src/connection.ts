import { DBOSClient } from "@dbos-inc/dbos-sdk";
import { EngineError } from "@pollux/core/durable";
import type { Database } from "./database.ts";

/** How a client reaches the runs. */
export interface Connection {
  readonly database: Database;
  readonly pollMs: number;
  readonly eventPollMs: number;
  /**
   * DBOS's client. DBOS tries a database that does not answer again without end, so the first call looks whether it does.
   *
   * @throws {EngineError} `server-unreachable`, `server-refused`, `no-tables`, or `not-launched` after the worker was closed.
   */
  readonly dbos: () => Promise<DBOSClient>;
  /** Lets go of DBOS's client; the database stays open. */
  readonly close: () => Promise<void>;
}

/** Bounds of what a client asks. */
export interface PollOptions {
  /** Milliseconds between a waiting `result()`'s looks into the database. @defaultValue 250 */
  readonly pollMs?: number | undefined;
  /** Milliseconds between a reader's looks for live events. @defaultValue 25 */
  readonly eventPollMs?: number | undefined;
}

/** A connection over an open database. */
export function connect(database: Database, { pollMs = 250, eventPollMs = 25 }: PollOptions): Connection {
  let opened: Promise<DBOSClient> | undefined;
  let closed = false;
  const open = async (): Promise<DBOSClient> => {
    await database.query("SELECT FROM pollux.executors LIMIT 1");
    return await DBOSClient.create({
      systemDatabaseUrl: database.url ?? "",
      systemDatabasePool: database.pool,
      systemDatabaseSchemaName: database.schema,
    });
  };
  return {
    database,
    pollMs,
    eventPollMs,
    dbos: async () => {
      if (closed) throw new EngineError("not-launched", "this client or its worker was closed");
      opened ??= open();
      try {
        return await opened;
      } catch (error) {
        opened = undefined;
        throw error;
      }
    },
    close: async () => {
      closed = true;
      const client = await opened?.catch(() => undefined);
      await client?.destroy();
    },
  };
}
