import { DBOS } from "@dbos-inc/dbos-sdk";
import { serveAgents } from "@pollux/dbos";
import { dbosSteps } from "../../../packages/dbos/src/dbos-steps.ts";
import { liveRun } from "../../../packages/dbos/src/live-run.ts";
import { makeAgents } from "./agents.ts";
import { sleeper } from "./sleeper.ts";
import type { WorkerKind, WorkerOrder, WorkerSaid, WorkerSetup } from "./worker-messages.ts";

/** A worker of DBOS: the agents, and the program that sleeps. */
export async function serve(
  { on, outside, code }: WorkerSetup & { readonly on: Extract<WorkerKind, { kind: "dbos" }> },
  say: (said: WorkerSaid) => void,
): Promise<{ obey(order: WorkerOrder): void; readonly port?: undefined }> {
  const napper = DBOS.registerWorkflow(
    async (ms: number) => {
      const runId = DBOS.workflowID ?? "";
      const steps = dbosSteps({
        runId,
        signal: new AbortController().signal,
        cancel: () => {},
        execution: 1,
        pollMs: 100,
        agents: new Map(),
        live: liveRun(runId, false),
        closing: () => false,
      });
      await sleeper(steps, ms, outside);
    },
    { name: "napper" },
  );
  await serveAgents({
    agents: await makeAgents({ outside, code }),
    databaseUrl: on.databaseUrl,
    executorId: on.executorId,
    applicationVersion: on.version,
    // The place decides which workers are dead.
    watch: { heartbeatMs: 300, deadAfterMs: 3_600_000 },
    queuePollMs: 50,
    pollMs: 200,
    events: false,
    dbos: { useListenNotify: on.listen },
  });
  return {
    obey: (order) => {
      if (order.do !== "nap") return;
      DBOS.startWorkflow(napper, { workflowID: order.run })(order.ms).then(
        () => say({ is: "taken", run: order.run }),
        (error: unknown) => say({ is: "broken", message: String(error) }),
      );
    },
  };
}
