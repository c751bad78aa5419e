import { agentsClient } from "@pollux/restate";
import { describe, expect, test } from "vitest";
import { lab, planner } from "../../../test/engines/support/job-agents.ts";
import { freePort } from "../../../test/support/free-ports.ts";
import { restateBinary } from "./support/restate-server.ts";
import { restateSuite } from "./support/restate-suite.ts";
import { startWorker } from "./support/start-worker.ts";

describe.skipIf(restateBinary() === undefined)("jobs on Restate (needs its server's binary)", () => {
  const suite = restateSuite({ inactivityTimeoutMs: 500 });
  const { serve } = suite;

  test("is started once and asked about until it is over", async () => {
    const { seen, make } = lab("asker", { isOver: (checks) => checks === 3 });
    const client = await serve(make());
    const run = await client.start("asker", "Go.");
    expect(await run.result()).toMatchObject({ status: "ended", result: { text: '{"output":"found"}' } });
    expect(seen).toEqual(["start", "check job-1", "check job-1", "check job-1"]);
  });

  test("outlives its worker, and is answered from outside", async () => {
    const { seen, make } = lab("hooked");
    const port = await freePort();
    const first = await startWorker(suite.server, [make()], { port });
    const run = await agentsClient({ ingress: suite.server.ingress }).start("hooked", "Go.");
    await expect.poll(() => seen.length).toBeGreaterThan(2);
    expect(await run.pending()).toMatchObject([{ question: "job", name: "call:1.0/job" }]);
    await first.close();
    suite.workers.push(await startWorker(suite.server, [make()], { port }));
    const before = seen.length;
    await expect.poll(() => seen.length).toBeGreaterThan(before);
    await run.answer("call:1.0", { output: "reported" });
    expect(await run.result()).toMatchObject({ status: "ended", result: { text: '{"output":"reported"}' } });
    expect(seen.filter((one) => one === "start")).toHaveLength(1);
    await expect(run.answer("call:1.0", { output: "again" })).rejects.toMatchObject({ code: "already-answered" });
  });

  test("takes an outcome that comes before it is started", async () => {
    const { make } = lab("early");
    const client = await serve(make());
    await client.run("early", "e1").answer("call:1.0", { output: "early" });
    const run = await client.start("early", "Go.", { runId: "e1" });
    expect(await run.result()).toMatchObject({ status: "ended", result: { text: '{"output":"early"}' } });
  });

  test("asks a person, and is followed by another one with what was approved", async () => {
    const { seen, make } = planner();
    const client = await serve(make());
    const run = await client.start("planner", "Go.");
    await expect.poll(async () => (await run.pending()).map(({ question }) => question)).toEqual(["approval"]);
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
