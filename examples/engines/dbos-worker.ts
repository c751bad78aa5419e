// A worker over a Postgres database: DBOS_SYSTEM_DATABASE_URL=postgresql://... node dbos-worker.ts
import { serveAgents } from "@pollux/dbos";
import { planner } from "./agents.ts";

const worker = await serveAgents({
  agents: [planner],
  databaseUrl: process.env["DBOS_SYSTEM_DATABASE_URL"],
  // A worker that is silent for this long counts as dead.
  watch: { deadAfterMs: Number(process.env["DEAD_AFTER_MS"] ?? 15_000) },
  // PGlite has no LISTEN; omit this with a real Postgres.
  ...(process.env["PGLITE"] === undefined ? {} : { dbos: { useListenNotify: false } }),
});
console.log(`${worker.executorId} is ready`);

process.once("SIGTERM", () => void worker.close().then(() => process.exit()));
