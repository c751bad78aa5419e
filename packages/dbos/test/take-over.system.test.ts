import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AgentsClient, agentsClient, takeOver } from "../src/index.ts";
import { declareDead } from "./support/declare-dead.ts";
import { likeliestPostgres, type StartedPostgres, startPostgres } from "./support/postgres.ts";
import { until } from "./support/until.ts";
import { watchedPool } from "./support/watched-pool.ts";
import { startWorkerProcess, type WorkerProcess, type WorkerProcessOptions } from "./support/worker-process.ts";

const kind = likeliestPostgres();

describe(`workers that die, on ${kind}`, () => {
  let postgres: StartedPostgres;
  let folder: string;
  let client: AgentsClient;
  const workers: WorkerProcess[] = [];

  beforeAll(async () => {
    [postgres, folder] = await Promise.all([startPostgres(kind), mkdtemp(join(tmpdir(), "pollux-dbos-"))]);
  });

  afterAll(async () => {
    await client?.close();
    await Promise.all(workers.map((worker) => worker.kill()));
    await postgres?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("says that no worker was ever started here", async () => {
    const early = agentsClient({ databaseUrl: postgres.url(kind === "debian" ? "postgres" : undefined) });
    await expect(early.start("clerk", "go")).rejects.toMatchObject({ code: "no-tables" });
    await early.close();
  });

  it("hands a dead worker's runs to the one that is left, without doing again what was done", async () => {
    const first = await serve("e1", { holds: true });
    client = agentsClient({ databaseUrl: postgres.url(), pollMs: 50 });
    const chain = await client.start("chain", "go", { runId: "chain-1" });
    const holder = await client.start("holder", "go", { runId: "holder-1" });
    for await (const { step } of chain.events()) if (step === "call:2.0") break;
    // A call's event may be read before its tool has begun.
    await log("start hold 2 chain-1/call:2.0");
    await log("charge 5");
    await first.kill();
    await serve("e2");

    expect(await chain.result()).toMatchObject({ status: "ended", result: { text: "chained" } });
    const [asked] = await until(async () => {
      const questions = await holder.pending();
      return questions.length > 0 ? questions : undefined;
    });
    expect(asked).toMatchObject({ callId: "call:1.1", question: "unknown-outcome", call: { name: "charge" } });
    await holder.answer("call:1.1", { output: { charged: 5 } });
    expect(await holder.result()).toMatchObject({ status: "ended", result: { text: "held" } });

    const lines = await said();
    // Finished before the crash: once. In flight: twice, with one key. An effect that must not happen twice: once.
    expect(lines.filter((line) => line === "note 1")).toHaveLength(1);
    expect(lines.filter((line) => line.includes("hold 2"))).toEqual([
      "start hold 2 chain-1/call:2.0",
      "start hold 2 chain-1/call:2.0",
      "end hold 2",
    ]);
    expect(lines.filter((line) => line === "charge 5")).toHaveLength(1);

    // A reader is told which attempt an event is of.
    const attempts = new Set<string>();
    for await (const { step, attempt } of chain.events()) attempts.add(`${step} ${attempt}`);
    expect([...attempts]).toEqual(["model:1 1", "call:1.0 1", "model:2 1", "call:2.0 1", "call:2.0 2", "model:3 2"]);
  });

  it("fails a run that another version of the loop began", async () => {
    const run = await client.start("clerk", "pay", { runId: "versions" });
    await until(async () => ((await run.pending()).length > 0 ? true : undefined));
    await workers.at(-1)?.kill();
    const database = new pg.Client(postgres.url());
    await database.connect();
    // As if a worker of an earlier release had begun it.
    const sql = `UPDATE dbos.operation_outputs SET output = regexp_replace(output, '"value":\\d+', '"value":0')
        WHERE workflow_uuid = 'versions' AND function_name = 'loop-version'`;
    expect((await database.query(sql)).rowCount).toBe(1);
    await database.end();
    await serve("e3");
    expect(await run.result()).toMatchObject({
      status: "failed",
      error: { name: "LoopVersionError", code: "loop_version" },
    });
  });

  it("lets any number of helpers look for the dead at once: one gets each", async () => {
    // It would look for the dead as well.
    await workers.at(-1)?.close();
    const lone = await serve("e4", { deadAfterMs: 0, applicationVersion: "lone" });
    const run = await client.start("clerk", "pay", { runId: "lone" });
    await until(async () => ((await run.pending()).length > 0 ? true : undefined));
    await lone.kill();
    const look = (): ReturnType<typeof takeOver> => takeOver({ databaseUrl: postgres.url(), deadAfterMs: 700 });
    // Of the version it was begun with nobody is left, so it goes on when somebody is.
    const [taken] = await until(async () => {
      const found = (await Promise.all([look(), look(), look()]))
        .flat()
        .filter(({ executorId }) => executorId === "e4");
      return found.length > 0 ? found : undefined;
    });
    expect(taken).toEqual({ executorId: "e4", runIds: ["lone"] });
    expect(await run.state()).toMatchObject({ status: "queued" });
    await serve("e5", { applicationVersion: "lone" });
    await run.approve("call:1.0", true);
    expect(await run.result()).toMatchObject({ status: "ended", result: { text: "paid 7" } });
  });

  it("gives its runs away when it is closed", async () => {
    const run = await client.start("clerk", "pay", { runId: "closed" });
    await until(async () => ((await run.pending()).length > 0 ? true : undefined));
    await workers.at(-1)?.close();
    await serve("e6", { applicationVersion: "lone", deadAfterMs: 3_600_000 });
    await run.approve("call:1.0", true);
    expect(await run.result()).toMatchObject({ status: "ended", result: { text: "paid 7" } });
  });

  it("leaves a run cancelled that is cancelled at the moment of its takeover", async () => {
    // It would take the run over as well.
    await workers.at(-1)?.close();
    const doomed = await serve("e7", { applicationVersion: "doomed" });
    const run = await client.start("clerk", "pay", { runId: "cancelled-on-the-way" });
    await until(async () => ((await run.pending()).length > 0 ? true : undefined));
    await doomed.kill();
    await declareDead(postgres.url(), "e7");
    let isCancelled = false;
    const pool = watchedPool(postgres.url(), async (sql) => {
      if (isCancelled || !/UPDATE .*workflow_status/s.test(sql)) return;
      isCancelled = true;
      await run.requestCancel();
    });
    const taken = await takeOver({ databaseUrl: postgres.url(), pool });
    await pool.end();
    expect(isCancelled).toBe(true);
    expect(taken.flatMap(({ runIds }) => runIds)).not.toContain(run.runId);
    expect(await run.state()).toMatchObject({ status: "cancelled" });
    await serve("e8", { applicationVersion: "doomed" });
    expect(await (await client.start("counter", "x")).result()).toMatchObject({ status: "ended" });
    expect(await run.result()).toMatchObject({ status: "cancelled" });
  });

  async function serve(executorId: string, options: Partial<WorkerProcessOptions> = {}): Promise<WorkerProcess> {
    const databaseUrl = postgres.url();
    const listenNotify = kind !== "pglite";
    const logPath = join(folder, "log");
    const worker = await startWorkerProcess({ databaseUrl, executorId, logPath, listenNotify, ...options });
    workers.push(worker);
    return worker;
  }

  async function said(): Promise<readonly string[]> {
    return (await readFile(join(folder, "log"), "utf8").catch(() => "")).split("\n");
  }

  async function log(line: string): Promise<void> {
    await until(async () => ((await said()).includes(line) ? true : undefined));
  }
});
