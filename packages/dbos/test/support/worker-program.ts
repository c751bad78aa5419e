import { pathToFileURL } from "node:url";
import type { Agent } from "@pollux/core";
import { serveAgents } from "../../src/index.ts";
import { fileLog, testAgents } from "./agents.ts";
import type { WorkerProcessOptions } from "./worker-process.ts";

// A worker for tests, started by `startWorkerProcess`.
const options = JSON.parse(process.argv[2] ?? "{}") as WorkerProcessOptions;
const {
  databaseUrl,
  executorId,
  logPath,
  holds,
  listenNotify = true,
  applicationVersion,
  deadAfterMs = 1_500,
} = options;
const given = { log: fileLog(logPath), holds };
const worker = await serveAgents({
  agents: options.module === undefined ? testAgents(given) : (await agentsOf(options.module))(given),
  databaseUrl,
  executorId,
  applicationVersion,
  watch: { heartbeatMs: 300, deadAfterMs, takeOver: deadAfterMs > 0 },
  dbos: { useListenNotify: listenNotify, logLevel: "error" },
});
process.once("SIGTERM", () => void worker.close().then(() => process.exit()));
// Whoever started it is gone.
process.once("disconnect", () => process.exit(1));
process.send?.("serving");

async function agentsOf(module: string): Promise<(options: typeof given) => readonly Agent[]> {
  // By contract of `WorkerProcessOptions.module`.
  const loaded = (await import(pathToFileURL(module).href)) as {
    readonly agents: (options: typeof given) => readonly Agent[];
  };
  return loaded.agents;
}
