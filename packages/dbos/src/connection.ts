import { DBOSClient } from "@dbos-inc/dbos-sdk";
import { EngineError } from "@pollux/engine";
import type { Database } from "./database.ts";

/** A client's connection. */
export interface Connection {
  readonly database: Database;
  readonly pollMs: number;
  readonly eventPollMs: number;
  /**
   * DBOS's client. DBOS retries an unreachable database forever, so the first call checks whether it is reachable.
   *
   * @throws {EngineError} `server-unreachable`, `server-refused`, `no-tables`, or `not-launched` if the worker has been closed.
   */
  readonly dbos: () => Promise<DBOSClient>;
  /** Closes DBOS's client; the database stays open. */
  readonly close: () => Promise<void>;
}

/** How often a client polls. */
export interface PollOptions {
  /** Milliseconds between polls while `result()` waits. @defaultValue 250 */
  readonly pollMs?: number | undefined;
  /** Milliseconds between polls for live events. @defaultValue 25 */
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
