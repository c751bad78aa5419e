import { afterAll, afterEach, beforeAll } from "vitest";
import type { Agent } from "@pollux/core";
import { agentsClient, type AgentsWorker, type ServeAgentsOptions } from "@pollux/restate";
import { type RestateServer, startRestate } from "./restate-server.ts";
import { startWorker } from "./start-worker.ts";

/** A server for all tests of a suite, and workers that end with their test. */
export interface RestateSuite {
  /** There from the first test on. */
  readonly server: RestateServer;
  readonly workers: AgentsWorker[];
  /** Starts a worker of agents and gives a client of them. */
  readonly serve: (...agents: readonly Agent[]) => Promise<ReturnType<typeof agentsClient>>;
}

/** Starts a server before the tests of a suite, and ends everything after them. */
export function restateSuite(options: Pick<ServeAgentsOptions, "inactivityTimeoutMs"> = {}): RestateSuite {
  let started: RestateServer | undefined;
  const workers: AgentsWorker[] = [];
  const suite: RestateSuite = {
    get server() {
      if (started === undefined) throw new Error("the server is started before the first test");
      return started;
    },
    workers,
    serve: async (...agents) => {
      workers.push(await startWorker(suite.server, agents, options));
      return agentsClient({ ingress: suite.server.ingress });
    },
  };
  beforeAll(async () => {
    started = await startRestate();
  }, 300_000);
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.close()));
  });
  afterAll(async () => {
    await started?.stop();
  });
  return suite;
}
