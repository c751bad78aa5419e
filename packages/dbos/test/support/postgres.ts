import { execFile, spawn } from "node:child_process";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import { freePort } from "../../../../test/support/free-ports.ts";
import { openPglite } from "./open-pglite.ts";

const run = promisify(execFile);

/** Where Debian keeps its PostgreSQL 15. */
const DEBIAN = "/usr/lib/postgresql/15/bin";

/** PGlite comes from npm and is always there; the real server only where Debian's package is installed. */
export type PostgresKind = "pglite" | "debian";

/** The kinds that tests run on. */
export function postgresKinds(): readonly { readonly kind: PostgresKind; readonly installed: boolean }[] {
  return [
    { kind: "pglite", installed: true },
    { kind: "debian", installed: existsSync(join(DEBIAN, "postgres")) },
  ];
}

/** The kind that long tests run on: the real server where it is installed. The guarantees of `test/engines` are tried on both. */
export function likeliestPostgres(): PostgresKind {
  return postgresKinds().findLast(({ installed }) => installed)?.kind ?? "pglite";
}

/** A server that does not answer for so long after its start never will, in milliseconds. */
const START_MS = 120_000;

/** A database server for tests, on loopback. */
export interface StartedPostgres {
  readonly kind: PostgresKind;
  /** Of a database that is made with the first worker; another name makes another database (not on PGlite, which has one). */
  url(database?: string): string;
  /** Kills the server without a word; resolves when it is gone. Debian only. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a database server of a kind. */
export async function startPostgres(kind: PostgresKind): Promise<StartedPostgres> {
  return kind === "pglite" ? await startPglite() : await startDebian();
}

async function startPglite(): Promise<StartedPostgres> {
  const db = await openPglite();
  const server = new PGLiteSocketServer({ db: oneQueryAtATime(db), host: "127.0.0.1", port: 0, maxConnections: 100 });
  await server.start();
  const address = server.getServerConn();
  return {
    kind: "pglite",
    url: () => `postgresql://postgres@${address}/postgres?sslmode=disable`,
    kill: () => Promise.reject(new Error("PGlite lives in the test's own process")),
    restart: () => Promise.reject(new Error("PGlite lives in the test's own process")),
    close: async () => {
      await server.stop();
      await db.close();
    },
  };
}

/**
 * PGlite has one session, and the server lets the messages of its connections through one by one: the parts of two queries (parse,
 * bind, execute) would mix. Here a query that is begun counts as a transaction, which keeps the others waiting.
 */
function oneQueryAtATime(db: PGlite): PGlite {
  let begun = false;
  const PARTS = new Set(Buffer.from("PBDECH"));
  const facade: Pick<PGlite, "isInTransaction" | "runExclusive" | "exec" | "execProtocolRawStream"> = {
    isInTransaction: () => begun || db.isInTransaction(),
    runExclusive: (work) => db.runExclusive(work),
    exec: (sql, options) => {
      begun = false;
      return db.exec(sql, options);
    },
    execProtocolRawStream: async (message, options) => {
      begun = PARTS.has(message[0] ?? 0);
      return await db.execProtocolRawStream(message, options);
    },
  };
  // What the server uses of it.
  return facade as PGlite;
}

async function startDebian(): Promise<StartedPostgres> {
  const folder = await mkdtemp(join(tmpdir(), "pollux-pg-"));
  const owner = process.getuid?.() === 0 ? await idsOf("postgres") : undefined;
  if (owner !== undefined) await chown(folder, owner.uid, owner.gid);
  const data = join(folder, "data");
  await run(join(DEBIAN, "initdb"), ["-D", data, "-A", "trust", "-U", "postgres", "-N"], { ...owner, cwd: folder });
  const port = await freePort();
  let server = await startServer();
  // A test process that ends in the middle takes its server with it.
  const onExit = (): void => void server.kill("SIGQUIT");
  process.once("exit", onExit);
  return {
    kind: "debian",
    url: (database = "pollux") => `postgresql://postgres@127.0.0.1:${port}/${database}`,
    kill: () => stop("SIGQUIT"),
    restart: async () => void (server = await startServer()),
    close: async () => {
      process.off("exit", onExit);
      await stop("SIGINT");
      await rm(folder, { recursive: true, force: true });
    },
  };

  async function startServer(): Promise<ReturnType<typeof spawn>> {
    const child = spawn(
      join(DEBIAN, "postgres"),
      ["-D", data, "-h", "127.0.0.1", "-p", String(port), "-k", folder, "-c", "max_connections=200"],
      { ...owner, cwd: folder, stdio: "ignore" },
    );
    for (const until = Date.now() + START_MS; ;) {
      try {
        await run(join(DEBIAN, "pg_isready"), ["-h", "127.0.0.1", "-p", String(port), "-U", "postgres"]);
        return child;
      } catch (error) {
        if (Date.now() > until || child.exitCode !== null) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  async function stop(signal: NodeJS.Signals): Promise<void> {
    if (server.exitCode !== null) return;
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.kill(signal);
    await ended;
  }
}

async function idsOf(user: string): Promise<{ readonly uid: number; readonly gid: number }> {
  const [uid, gid] = await Promise.all([run("id", ["-u", user]), run("id", ["-g", user])]);
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}
