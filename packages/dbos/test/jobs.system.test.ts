import type { Agent } from "@pollux/core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { lab, planner } from "../../../test/engines/support/job-agents.ts";
import { type AgentsClient, agentsClient, type AgentsWorker, serveAgents } from "../src/index.ts";
import { type StartedPostgres, startPostgres } from "./support/postgres.ts";

describe("jobs on DBOS", () => {
  let postgres: StartedPostgres;
  const workers: AgentsWorker[] = [];
  const clients: AgentsClient[] = [];

  beforeAll(async () => {
    postgres = await startPostgres("pglite");
  });

  afterEach(async () => {
    for (const one of clients.splice(0)) await one.close();
    for (const one of workers.splice(0)) await one.close();
  });

  afterAll(async () => {
    await postgres?.close();
  });

  async function serve(...agents: readonly Agent[]): Promise<AgentsClient> {
    const databaseUrl = postgres.url();
    workers.push(
      await serveAgents({
        agents,
        databaseUrl,
        executorId: "jobs",
        applicationVersion: "jobs",
        pollMs: 30,
        queuePollMs: 50,
        dbos: { useListenNotify: false, logLevel: "error" },
      }),
    );
    const client = agentsClient({ databaseUrl, pollMs: 30 });
    clients.push(client);
    return client;
  }

  test("is started once and asked about until it is over", async () => {
    const { seen, make } = lab("asker", { isOver: (checks) => checks === 3 });
    const client = await serve(make());
    const run = await client.start("asker", "Go.");
    expect(await run.result()).toMatchObject({ status: "ended", result: { text: '{"output":"found"}' } });
    expect(seen).toEqual(["start", "check job-1", "check job-1", "check job-1"]);
  });

  test("outlives its worker, and is answered from outside", async () => {
    const { seen, make } = lab("hooked");
    const client = await serve(make());
    const run = await client.start("hooked", "Go.");
    await expect.poll(() => seen.length).toBeGreaterThan(2);
    expect(await run.pending()).toMatchObject([{ question: "job", name: "call:1.0/job" }]);
    await workers.pop()?.close();
    await serve(make());
    const before = seen.length;
    await expect.poll(() => seen.length).toBeGreaterThan(before);
    await run.answer("call:1.0", { output: "reported" });
    expect(await run.result()).toMatchObject({ status: "ended", result: { text: '{"output":"reported"}' } });
    expect(seen.filter((one) => one === "start")).toHaveLength(1);
    await expect(run.answer("call:1.0", { output: "again" })).rejects.toMatchObject({ code: "already-answered" });
  });

  test("asks a person, and is followed by another one with what was approved, once its worker is another one", async () => {
    const { seen, make } = planner();
    const client = await serve(make());
    const run = await client.start("planner", "Go.");
    await expect.poll(async () => (await run.pending()).map(({ question }) => question)).toEqual(["approval"]);
    await workers.pop()?.close();
    await serve(make());
    await run.approve("call:1.0", { args: { question: "Why?", plan: "2. Think." } });
    expect(await run.result()).toMatchObject({ status: "ended", result: { text: '{"output":"found"}' } });
    expect(seen).toEqual([{ question: "Why?" }, { question: "Why?", plan: "2. Think." }]);
  });

  test("is cancelled when its time is up, and with its run", async () => {
    const late = lab("late-job", { timeoutMs: 300 });
    const stopped = lab("stopped-job");
    const client = await serve(late.make(), stopped.make());
    const run = await client.start("late-job", "Go.");
    expect(JSON.stringify(await run.result())).toContain("did not finish within");
    expect(late.seen.at(-1)).toBe("cancel job-1");
    const other = await client.start("stopped-job", "Go.");
    await expect.poll(() => stopped.seen.length).toBeGreaterThan(1);
    expect(await other.cancel()).toMatchObject({ status: "cancelled" });
    expect(stopped.seen.filter((one) => one.startsWith("cancel"))).toEqual(["cancel job-1"]);
  });
});
