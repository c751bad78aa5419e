import { describe, expect, it } from "vitest";
import { agentsClient } from "../src/index.ts";
import { postgresKinds, startPostgres } from "./support/postgres.ts";
import { startWorkerProcess } from "./support/worker-process.ts";

// Not on PGlite: it has one session, so each worker is given the lock that the others hold.
const KINDS = postgresKinds().filter(({ kind }) => kind !== "pglite");

describe.each(KINDS)("workers that start together, on $kind", ({ kind, installed }) => {
  it.skipIf(!installed)("make the tables of a new database one after the other", async () => {
    const postgres = await startPostgres(kind);
    try {
      const databaseUrl = postgres.url("brand-new");
      const listenNotify = kind === "debian";
      const workers = await Promise.all(
        ["e1", "e2", "e3"].map((executorId) =>
          startWorkerProcess({ databaseUrl, executorId, logPath: "/dev/null", listenNotify }),
        ),
      );
      const client = agentsClient({ databaseUrl, pollMs: 50 });
      const run = await client.start("chain", "go");
      expect(await run.result()).toMatchObject({ status: "ended", result: { stopReason: "finished" } });
      await client.close();
      await Promise.all(workers.map((worker) => worker.close()));
    } finally {
      await postgres.close();
    }
  });
});
