import pg from "pg";

/** Called before a statement is sent to the database, which waits for it. */
export type BeforeStatement = (sql: string) => Promise<void>;

/** A pool that a test can hold up at any statement. */
export function watchedPool(databaseUrl: string, before: BeforeStatement): pg.Pool {
  class Watched extends pg.Client {
    // The pool passes a callback; DBOS, on a connection of its own, awaits.
    override query(...given: unknown[]): never {
      const [statement] = given;
      const sql = typeof statement === "string" ? statement : String((statement as { readonly text?: string }).text);
      const send = super.query.bind(this) as (...args: unknown[]) => unknown;
      // Overloads of `pg` have no type that a subclass could repeat.
      return before(sql).then(() => send(...given)) as never;
    }
  }
  return new pg.Pool({ connectionString: databaseUrl, Client: Watched });
}

/** A pool that holds up messages to runs until it is told to release them. */
export function holdingPool(databaseUrl: string): {
  readonly pool: pg.Pool;
  /** Resolves when there is one to send. */
  readonly sending: Promise<void>;
  readonly release: () => void;
} {
  let begin = (): void => {};
  let release = (): void => {};
  const sending = new Promise<void>((resolve) => (begin = resolve));
  const released = new Promise<void>((resolve) => (release = resolve));
  const pool = watchedPool(databaseUrl, async (sql) => {
    if (!/INSERT INTO .*notifications/s.test(sql)) return;
    begin();
    await released;
  });
  return { pool, sending, release };
}
