import pg from "pg";

/** The result of a query. */
export interface QueryRows {
  readonly rows: readonly unknown[];
}

/** The part of a `pg` `Pool` that the store uses: anything of this shape will do. */
export interface PostgresPool {
  query(text: string, values?: unknown[]): Promise<QueryRows>;
  connect(): Promise<PostgresClient>;
  /** `max`: with one connection only, the store does not keep it for LISTEN. */
  readonly options?: { readonly max?: number | undefined } | undefined;
}

/** The part of a `pg` `PoolClient` that the store uses. */
export interface PostgresClient {
  query(text: string, values?: unknown[]): Promise<QueryRows>;
  /** `true` closes the connection instead of keeping it for others. */
  release(destroy?: boolean): void;
  on(event: "notification", listener: (message: { channel: string; payload?: string | undefined }) => void): unknown;
  on(event: "error" | "end", listener: (error?: Error) => void): unknown;
  /** Lets the process end while the connection is open. */
  unref?(): void;
}

/** How to reach a server. For any other setting of `pg`, make a `Pool` and pass that. */
export interface ConnectionOptions {
  /** Such as `postgresql://ada@db.example:5432/app`; what is missing comes from the variables `PGHOST`, `PGUSER` and so on. */
  readonly connectionString?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly database?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | (() => string | Promise<string>) | undefined;
  readonly ssl?: boolean | object | undefined;
  /** Most connections at a time; one of them is used for LISTEN. @defaultValue 10 */
  readonly max?: number | undefined;
}

/** A pool, and what an error may reveal about it. */
export interface OpenPool {
  readonly pool: PostgresPool;
  /** Host, port and database, without user and password. */
  readonly place: string;
  /** Passwords, which no error may contain. */
  readonly secrets: readonly string[];
  /** Ends the pool, unless it is the caller's. */
  readonly end: () => Promise<void>;
}

/** @param timeoutMs - After which a query of a pool of our own gives up its connection. */
export function openPool(connection: string | ConnectionOptions | PostgresPool, timeoutMs: number): OpenPool {
  if (isPool(connection)) {
    // Settings of a `pg` Pool; another kind has others, or none.
    const options = (connection.options ?? {}) as ConnectionOptions;
    return { pool: connection, ...aboutConnection(options), end: async () => {} };
  }
  const options: ConnectionOptions = typeof connection === "string" ? { connectionString: connection } : connection;
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const pool = new pg.Pool({
    connectionTimeoutMillis: Math.min(timeoutMs, 10_000),
    query_timeout: timeoutMs,
    keepAlive: true,
    allowExitOnIdle: true,
    ...given,
  });
  // The next query replaces a connection that broke while idle.
  pool.on("error", () => {});
  return {
    pool,
    ...aboutConnection(options),
    end: async () => {
      if (!pool.ending) await pool.end();
    },
  };
}

function isPool(connection: string | ConnectionOptions | PostgresPool): connection is PostgresPool {
  return typeof connection === "object" && "query" in connection && "connect" in connection;
}

function aboutConnection({
  connectionString,
  host,
  port,
  database,
  password,
}: ConnectionOptions): Pick<OpenPool, "place" | "secrets"> {
  const secrets = typeof password === "string" ? [password] : [];
  if (connectionString === undefined) {
    const { PGHOST = "localhost", PGPORT = "5432", PGDATABASE = "" } = process.env;
    return { place: `${host ?? PGHOST}:${port ?? PGPORT}/${database ?? PGDATABASE}`, secrets };
  }
  // The whole of it, for a string that cannot be read; the password as it is written, and decoded.
  secrets.push(connectionString);
  const written = /:\/\/[^@/]*?:(.*)@/.exec(connectionString)?.[1];
  const inQuery = /[?&]password=([^&#]*)/.exec(connectionString)?.[1];
  for (const secret of [written, inQuery]) if (secret !== undefined) secrets.push(secret, decoded(secret));
  if (!URL.canParse(connectionString)) return { place: "the address given", secrets };
  const url = new URL(connectionString);
  return { place: `${url.host}${url.pathname}`, secrets };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
