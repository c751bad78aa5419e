import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DBOS } from "@dbos-inc/dbos-sdk";
import { MemoryStore, type SessionStore } from "@pollux/core";
import type { Steps } from "@pollux/core/durable";
import { journal, passThrough } from "@pollux/core/durable";
import { JsonlStore, SqliteStore } from "@pollux/core/node";
import { register } from "@pollux/restate";
import { createEndpointHandler, workflow, type WorkflowContext } from "@restatedev/restate-sdk";
import { dbosSteps } from "../packages/dbos/src/dbos-steps.ts";
import { liveRun } from "../packages/dbos/src/live-run.ts";
import { type PostgresKind, startPostgres } from "../packages/dbos/test/support/postgres.ts";
import { restateSteps } from "../packages/restate/src/restate-steps.ts";
import { startRestate } from "../packages/restate/test/support/restate-server.ts";
import { storedLog } from "../test/engines/support/stored-log.ts";

/** Timings of runs that consist only of steps. */
export interface StepTimes {
  /** Milliseconds per step of one run, one step after another. */
  readonly stepMs: number;
  /** Steps per second of many concurrent runs. */
  readonly perSecond: number;
}

/** How much work to do. */
export interface StepLoad {
  readonly steps: number;
  readonly runs: number;
}

/** Runs the steps of one run somewhere. */
type RunSteps = (runId: string) => Promise<void>;

const VALUE = { text: "x".repeat(100) };
const SIGNAL = new AbortController().signal;

async function carryOut(steps: Pick<Steps, "round">, count: number): Promise<void> {
  for (let step = 1; step <= count; step++) {
    await steps.round([{ kind: "step", name: `model:${step}`, run: async () => VALUE }]);
  }
}

async function timesOf(run: RunSteps, { steps, runs }: StepLoad): Promise<StepTimes> {
  await run("warm");
  const began = performance.now();
  await run("alone");
  const alone = performance.now() - began;
  const again = performance.now();
  await Promise.all(Array.from({ length: runs }, (_, index) => run(`beside-${index}`)));
  const beside = performance.now() - again;
  return { stepMs: alone / steps, perSecond: (steps * runs * 1000) / beside };
}

/** Steps without any journal. */
export function passThroughTimes(load: StepLoad): Promise<StepTimes> {
  return timesOf((runId) => carryOut(passThrough({ runId, signal: SIGNAL }), load.steps), load);
}

/** Steps in this library's own journal. */
export async function journalTimes(kind: "memory" | "sqlite" | "jsonl", load: StepLoad): Promise<StepTimes> {
  const folder = await mkdtemp(join(tmpdir(), "pollux-bench-"));
  const stores: { readonly [Kind in typeof kind]: () => SessionStore } = {
    memory: () => new MemoryStore(),
    sqlite: () => new SqliteStore(join(folder, "runs.db")),
    jsonl: () => new JsonlStore(join(folder, "runs")),
  };
  const store = stores[kind]();
  try {
    return await timesOf(async (runId) => {
      const log = await storedLog(store, runId);
      await carryOut(journal({ runId, signal: SIGNAL, log }), load.steps);
    }, load);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Steps in a Restate server's journal. */
export async function restateTimes(load: StepLoad): Promise<StepTimes> {
  const server = await startRestate();
  const nothing = (): void => {};
  const program = workflow({
    name: "program",
    handlers: {
      run: async (ctx: WorkflowContext): Promise<void> => {
        const more = { children: new Set<string>(), note: nothing, cancelled: nothing, emit: async () => {} };
        await carryOut(restateSteps(ctx, { signal: ctx.request().attemptCompletedSignal, ...more }), load.steps);
      },
    },
  });
  const worker = createServer(createEndpointHandler({ services: [program], logger: nothing }));
  try {
    await new Promise<void>((resolve) => worker.listen(0, "127.0.0.1", resolve));
    // The server listens on a port.
    const { port } = worker.address() as AddressInfo;
    await register({ admin: server.admin, uri: `http://127.0.0.1:${port}` });
    return await timesOf(async (runId) => {
      const response = await fetch(`${server.ingress}/program/${runId}/run`, { method: "POST" });
      if (!response.ok) throw new Error(`Restate refused: ${await response.text()}`);
      await response.text();
    }, load);
  } finally {
    await server.stop();
    worker.close();
  }
}

/** Steps in DBOS's tables. */
export async function dbosTimes(kind: PostgresKind, load: StepLoad): Promise<StepTimes> {
  const postgres = await startPostgres(kind);
  const program = DBOS.registerWorkflow(
    async () => {
      const runId = DBOS.workflowID ?? "";
      const options = { runId, signal: SIGNAL, cancel: () => {}, execution: 1, pollMs: 1_000, agents: new Map() };
      await carryOut(dbosSteps({ ...options, live: liveRun(runId, false), closing: () => false }), load.steps);
    },
    { name: "program" },
  );
  try {
    DBOS.setConfig({
      name: "bench",
      systemDatabaseUrl: postgres.url(),
      logLevel: "error",
      useListenNotify: kind !== "pglite",
    });
    await DBOS.launch();
    return await timesOf(
      async (runId) => await (await DBOS.startWorkflow(program, { workflowID: runId })()).getResult(),
      load,
    );
  } finally {
    await DBOS.shutdown({ deregister: true });
    await postgres.close();
  }
}
