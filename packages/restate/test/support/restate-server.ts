import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, platform, tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../../../../test/support/free-ports.ts";

/** A server that is not up so long after its start never will be, in milliseconds. */
const START_MS = 120_000;

/** A Restate server for a test: loopback, free ports, a folder of its own. */
export interface RestateServer {
  readonly ingress: string;
  readonly admin: string;
  readonly pid: number;
  /** Rows of Restate's own tables, such as `sys_invocation`. */
  query(sql: string): Promise<readonly Record<string, unknown>[]>;
  /** Ends it at once, as a crash does, and keeps its folder. */
  kill(): Promise<void>;
  /** Starts it again on the same ports and folder. */
  restart(): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

export interface RestateServerOptions {
  /** More environment, such as `RESTATE_WORKER__INVOKER__INACTIVITY_TIMEOUT`. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** Where the server's binary is, or `undefined` on a platform without one. */
export function restateBinary(): string | undefined {
  try {
    const server = createRequire(import.meta.url).resolve("@restatedev/restate-server/package.json");
    const name = `@restatedev/restate-server-${platform()}-${arch()}/bin/restate-server`;
    const binary = createRequire(server).resolve(name);
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

/** Starts a server and waits until it takes requests. It ends with this process, whatever happens to its test. */
export async function startRestate({ env = {} }: RestateServerOptions = {}): Promise<RestateServer> {
  const binary = restateBinary();
  if (binary === undefined) throw new Error(`there is no Restate server for ${platform()}-${arch()}`);
  const folder = mkdtempSync(join(tmpdir(), "pollux-restate-"));
  const [ingressPort, adminPort, nodePort] = await freePorts(3);
  const ingress = `http://127.0.0.1:${ingressPort}`;
  const admin = `http://127.0.0.1:${adminPort}`;
  let server: ChildProcess | undefined;

  const die = (): void => {
    server?.kill("SIGKILL");
  };
  process.once("exit", die);

  async function start(): Promise<void> {
    const log = join(folder, "server.log");
    const child = spawn(
      "/bin/sh",
      // The shell only sends the server's words to a file, and becomes it.
      [
        "-c",
        `exec "$0" "$@" >>"${log}" 2>&1`,
        binary ?? "",
        "--no-logo",
        "--listen-mode",
        "tcp",
        "--bind-ip",
        "127.0.0.1",
        "--node-name",
        "test",
        "--base-dir",
        join(folder, "data"),
      ],
      {
        stdio: "ignore",
        cwd: folder,
        env: {
          PATH: process.env["PATH"],
          DO_NOT_TRACK: "1",
          RESTATE_DISABLE_TELEMETRY: "true",
          RESTATE_BIND_PORT: String(nodePort),
          RESTATE_INGRESS__BIND_PORT: String(ingressPort),
          RESTATE_ADMIN__BIND_PORT: String(adminPort),
          RESTATE_ADMIN__DISABLE_WEB_UI: "true",
          RESTATE_DEFAULT_NUM_PARTITIONS: "2",
          RESTATE_ROCKSDB_TOTAL_MEMORY_SIZE: "256MiB",
          ...env,
        },
      },
    );
    server = child;
    const deadline = Date.now() + START_MS;
    for (;;) {
      const healthy = await Promise.all([isUp(`${ingress}/restate/health`), isUp(`${admin}/health`)]);
      if (healthy.every(Boolean)) return;
      if (child.exitCode !== null || Date.now() > deadline)
        throw new Error(`the Restate server did not start:\n${readFileSync(log, "utf8").slice(-4_000)}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  async function kill(): Promise<void> {
    const child = server;
    server = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      child.once("exit", () => resolve());
      child.kill("SIGKILL");
    });
  }

  try {
    await start();
  } catch (error) {
    await kill();
    throw error;
  }
  return {
    ingress,
    admin,
    get pid() {
      return server?.pid ?? 0;
    },
    query: async (sql) => {
      const response = await fetch(`${admin}/query`, {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/json" },
        body: JSON.stringify({ query: sql }),
      });
      const body = (await response.json()) as { readonly rows: readonly Record<string, unknown>[] };
      return body.rows;
    },
    kill,
    restart: start,
    stop: async () => {
      await kill();
      process.removeListener("exit", die);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function isUp(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
