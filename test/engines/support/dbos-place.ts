import { DBOSClient } from "@dbos-inc/dbos-sdk";
import { agentsClient, type AgentsClient } from "@pollux/dbos";
import { declareDead } from "../../../packages/dbos/test/support/declare-dead.ts";
import { type PostgresKind, startPostgres } from "../../../packages/dbos/test/support/postgres.ts";
import { endedOf } from "./ended-of.ts";
import { until } from "./engine-case.ts";
import type { EnginePlace } from "./engine-place.ts";
import { messageOf } from "./plans.ts";
import { openWorkers } from "./workers.ts";

/** A Postgres, and DBOS in workers and in a client. */
export async function dbosPlace(kind: PostgresKind, outside: string): Promise<EnginePlace> {
  const postgres = await startPostgres(kind);
  const databaseUrl = postgres.url();
  const workers = openWorkers();
  let client: AgentsClient<"errand"> | undefined;
  let latest = "old";
  const open = (): AgentsClient<"errand"> => (client ??= agentsClient<"errand">({ databaseUrl, pollMs: 50 }));

  const place: EnginePlace = {
    name: kind === "pglite" ? "DBOS, PGlite" : "DBOS, Postgres",
    missing: {
      ...(kind === "pglite" && { "engine killed": "PGlite lives in the process of the test" }),
    },
    notes: {},
    start: async (run, plan) => void (await open().start("errand", messageOf(run, plan), { runId: run })),
    nap: async (run, ms) => {
      const [worker] = workers.running.values();
      worker?.send({ do: "nap", run, ms });
    },
    pending: async (run) => await open().run("errand", run).pending(),
    answer: async (run, callId, answer) => {
      const at = open().run("errand", run);
      await ("approve" in answer ? at.approve(callId, answer.approve) : at.answer(callId, answer.outcome));
    },
    cancel: async (run) => endedOf(await open().run("errand", run).cancel()),
    report: async (run) => endedOf(await open().run("errand", run).result()),
    startWorker: async (name, { code = "old", beside = false } = {}) => {
      const version = beside ? code : "old";
      const on = { kind: "dbos", databaseUrl, executorId: name, version, listen: kind !== "pglite" } as const;
      await workers.start(name, { on, outside, code });
      if (version === latest) return;
      latest = version;
      // New runs go to the latest version, so going back must be explicit.
      const dbos = await DBOSClient.create({ systemDatabaseUrl: databaseUrl });
      await dbos.setLatestApplicationVersion(version);
      await dbos.destroy();
    },
    killWorker: async (name) => {
      await workers.kill(name);
      await declareDead(databaseUrl, name);
    },
    leaves: async (run) => {
      await until(`${run} on the queue`, async () =>
        (await open().run("errand", run).state())?.status === "queued" ? true : undefined,
      );
      // A run that was enqueued after it.
      const next = await open().start("errand", messageOf(`after-${run}`, "one"), { runId: `after-${run}` });
      await next.result();
    },
    stopWorkers: () => workers.stop(),
    close: async () => {
      await client?.close();
      await workers.stop();
      await postgres.close();
    },
  };
  if (kind === "pglite") return place;
  return {
    ...place,
    killEngine: () => postgres.kill(),
    startEngine: () => postgres.restart(),
  };
}
