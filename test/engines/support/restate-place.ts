import { agentsClient, register } from "@pollux/restate";
import { startRestate } from "../../../packages/restate/test/support/restate-server.ts";
import { type Balancer, openBalancer } from "./balancer.ts";
import { endedOf } from "./ended-of.ts";
import { until } from "./engine-case.ts";
import type { EnginePlace } from "./engine-place.ts";
import { messageOf } from "./plans.ts";
import { openWorkers } from "./workers.ts";

/** A Restate server, and its workers behind one address. */
export async function restatePlace(outside: string): Promise<EnginePlace> {
  const server = await startRestate();
  const workers = openWorkers();
  const { ingress, admin } = server;
  const client = agentsClient<"errand">({ ingress, retryForMs: 180_000 });
  const balancers = { old: await openBalancer(), new: await openBalancer() };
  let latest: Balancer | undefined;
  const attemptOf = async (run: string): Promise<{ readonly begunAt: string; readonly isOver: boolean }> => {
    const sql = `select last_start_at, status from sys_invocation where target = 'errand/${run}/run'`;
    const [row] = await server.query(sql);
    return { begunAt: String(row?.["last_start_at"]), isOver: row?.["status"] === "backing-off" };
  };

  return {
    name: "Restate",
    missing: {},
    notes: {},
    start: async (run, plan) => void (await client.start("errand", messageOf(run, plan), { runId: run })),
    nap: async (run, ms) => {
      const response = await fetch(`${ingress}/napper/${run}/run/send`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: String(ms),
      });
      if (!response.ok) throw new Error(`Restate did not take the nap: ${await response.text()}`);
    },
    pending: (run) => client.run("errand", run).pending(),
    answer: async (run, callId, answer) => {
      const at = client.run("errand", run);
      await ("approve" in answer ? at.approve(callId, answer.approve) : at.answer(callId, answer.outcome));
    },
    leaves: async (run) => {
      const before = await attemptOf(run);
      await until(`another attempt of ${run}`, async () => {
        const { begunAt, isOver } = await attemptOf(run);
        return (isOver && begunAt !== before.begunAt) || undefined;
      });
    },
    cancel: async (run) => endedOf(await client.run("errand", run).cancel()),
    report: async (run) => endedOf(await client.run("errand", run).result()),
    startWorker: async (name, { code = "old", beside = false } = {}) => {
      const { port = 0 } = await workers.start(name, { on: { kind: "restate", ingress }, outside, code });
      const balancer = balancers[beside ? "new" : "old"];
      balancer.add(name, port);
      if (latest === balancer) return;
      // New runs go to the latest registration, so going back means registering again.
      await register({ admin, uri: balancer.url, force: latest !== undefined });
      latest = balancer;
    },
    killWorker: async (name) => {
      for (const balancer of Object.values(balancers)) balancer.remove(name);
      await workers.kill(name);
    },
    killEngine: () => server.kill(),
    startEngine: () => server.restart(),
    stopWorkers: async () => {
      for (const name of workers.running.keys()) for (const balancer of Object.values(balancers)) balancer.remove(name);
      await workers.stop();
    },
    close: async () => {
      await workers.stop();
      await Promise.all([balancers.old.close(), balancers.new.close()]);
      await server.stop();
    },
  };
}
