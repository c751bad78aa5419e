import pg from "pg";
import { postgresKinds, startPostgres } from "../../../dbos/test/support/postgres.ts";

/** False where Debian's package is not installed: the tests that need it are skipped. */
export const HAS_POSTGRES: boolean = postgresKinds().some(({ kind, installed }) => kind === "debian" && installed);

/** A real server, with one connection to look into it. */
export interface DebianPostgres {
  readonly url: string;
  /** Asks the server, as its superuser. */
  readonly ask: (sql: string, values?: unknown[]) => Promise<readonly Record<string, unknown>[]>;
  /** Ends the connections of others whose last statement contains this. @returns How many. */
  readonly cut: (statement: string) => Promise<number>;
  /** Kills the server, as a loss of power does. */
  readonly kill: () => Promise<void>;
  readonly restart: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Starts a server. */
export async function startDebian(): Promise<DebianPostgres> {
  const server = await startPostgres("debian");
  const url = server.url("postgres");
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  pool.on("error", () => {});
  const ask: DebianPostgres["ask"] = async (sql, values = []) => {
    // Rows are objects by the settings of the pool.
    const { rows } = await pool.query<Record<string, unknown>>(sql, values);
    return rows;
  };
  return {
    url,
    ask,
    cut: async (statement) => {
      const found = await ask(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where pid <> pg_backend_pid() and backend_type = 'client backend' and position($1 in query) > 0`,
        [statement],
      );
      return found.length;
    },
    kill: () => server.kill(),
    restart: () => server.restart(),
    close: async () => {
      await pool.end();
      await server.close();
    },
  };
}
