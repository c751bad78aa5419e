import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** How a worker process is begun. */
export interface WorkerProcessOptions {
  readonly databaseUrl: string;
  readonly executorId: string;
  /** Where its tools write what they do, one line each. */
  readonly logPath: string;
  /** Whether its `hold` and `charge` tools never end. @defaultValue false */
  readonly holds?: boolean | undefined;
  /** @defaultValue true; PGlite has no LISTEN over a socket */
  readonly listenNotify?: boolean | undefined;
  /** @defaultValue "1" */
  readonly applicationVersion?: string | undefined;
  /** Milliseconds without a heartbeat after which it takes over another's runs; 0 never does. @defaultValue 1_500 */
  readonly deadAfterMs?: number | undefined;
  /** A module whose `agents(options)` gives what is served. @defaultValue the agents of these tests */
  readonly module?: string | undefined;
}

/** A worker in a process of its own. */
export interface WorkerProcess {
  readonly pid: number;
  /** `kill -9`, and waits until it is gone. */
  kill(): Promise<void>;
  /** Asks it to close, and waits until it is gone. */
  close(): Promise<void>;
}

const PROGRAM = fileURLToPath(new URL("./worker-program.ts", import.meta.url));

/** Starts a worker, and waits until it serves. */
export async function startWorkerProcess(options: WorkerProcessOptions): Promise<WorkerProcess> {
  const child = spawn(process.execPath, ["--conditions=pollux-source", PROGRAM, JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (said += String(chunk)));
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.once("message", () => resolve());
    void gone.then(() => reject(new Error(`the worker ended before it served:\n${said}`)));
  });
  return { pid: child.pid ?? 0, kill: () => end(child, gone, "SIGKILL"), close: () => end(child, gone, "SIGTERM") };
}

async function end(child: ChildProcess, gone: Promise<void>, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal);
  await gone;
}
