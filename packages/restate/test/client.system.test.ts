import { Agent, defineTool } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { agentsClient, register } from "@pollux/restate";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { restateBinary, type RestateServer, startRestate } from "./support/restate-server.ts";
import { startWorker } from "./support/start-worker.ts";

describe.skipIf(restateBinary() === undefined)("a client of a Restate server (needs its binary)", () => {
  let server: RestateServer;

  beforeAll(async () => {
    server = await startRestate();
  });
  afterAll(async () => {
    await server?.stop();
  });

  test("says when an agent or a run is not there", async () => {
    const client = agentsClient({ ingress: server.ingress });
    await expect(client.start("nobody", "x")).rejects.toMatchObject({
      code: "agent-unknown",
      status: 404,
      message: expect.stringContaining('"nobody"'),
    });
    const worker = await startWorker(server, [new Agent({ name: "somebody", model: new ScriptedModel(say("Hi.")) })]);
    const none = client.run("somebody", "never-begun");
    const unknown = { code: "run-unknown", message: expect.stringContaining('"never-begun"') };
    await expect(none.result()).rejects.toMatchObject(unknown);
    await expect(none.cancel()).rejects.toMatchObject(unknown);
    await expect(none.events()[Symbol.asyncIterator]().next()).rejects.toMatchObject(unknown);
    expect(await none.state()).toBeUndefined();
    expect(await none.pending()).toEqual([]);

    const run = await client.start("somebody", "Hello", { runId: "with / slash" });
    expect(await run.result()).toMatchObject({ status: "ended", runId: "with / slash" });
    await worker.close();
  });

  test("takes any id that fits into a URL, and says what is wrong with others and with input that has no JSON", async () => {
    const model = new ScriptedModel(...Array.from({ length: 4 }, () => say("Hi.")));
    const worker = await startWorker(server, [new Agent({ name: "anybody", model })]);
    const client = agentsClient({ ingress: server.ingress });
    for (const runId of ["a?b#c%2F", "ü 💥", "\n"]) {
      const run = await client.start("anybody", "Hello", { runId });
      expect(await run.result()).toMatchObject({ status: "ended", runId });
    }
    for (const runId of ["", ".", ".."]) {
      await expect(client.start("anybody", "Hello", { runId })).rejects.toThrow(TypeError);
      expect(() => client.run("anybody", runId)).toThrow("cannot be the id of a run");
    }
    const part = { text: "x", size: 1n as unknown as number };
    await expect(client.start("anybody", [part])).rejects.toThrow(/BigInt/);
    await worker.close();
  });

  test("says when the server cannot reach a worker", async () => {
    await expect(register({ admin: server.admin, uri: "http://127.0.0.1:1" })).rejects.toMatchObject({
      code: "server-refused",
      message: expect.stringContaining("http://127.0.0.1:1"),
    });
  });

  test("waits and reads on when the server comes back, however long it has waited by then", async () => {
    const retryForMs = 120_000;
    let finish = (_: ReturnType<typeof say>): void => {};
    // The step in flight is begun again by the server that came back.
    const waits = (): Promise<ReturnType<typeof say>> => new Promise((resolve) => (finish = resolve));
    const model = new ScriptedModel(waits, waits, waits);
    const worker = await startWorker(server, [new Agent({ name: "patient", model })]);
    const run = await agentsClient({ ingress: server.ingress, retryForMs }).start("patient", "Go");
    await expect.poll(() => model.requests.length).toBe(1);
    const report = run.result();
    report.catch(() => {});
    const texts: string[] = [];
    const reading = (async () => {
      for await (const { event } of run.events()) if (event.type === "text-delta") texts.push(event.delta);
    })();
    reading.catch(() => {});
    expect(await run.state()).toMatchObject({ status: "running" });
    const now = Date.now;
    const later = vi.spyOn(Date, "now").mockImplementation(() => now() + 2 * retryForMs);
    onTestFinished(() => later.mockRestore());
    await server.kill();
    const state = run.state();
    state.catch(() => {});
    await server.restart();
    expect(await state).toMatchObject({ status: "running" });
    await expect.poll(() => model.requests.length).toBe(2);
    finish(say("Here."));
    expect(await report).toMatchObject({ status: "ended", result: { text: "Here." } });
    await reading;
    expect(texts.join("")).toBe("Here.");
    await worker.close();
  });

  test("an answer counts once, also when the server goes away before it could say so", async () => {
    const tool = defineTool({
      name: "sign",
      description: "Signs.",
      input: z.object({}),
      needsApproval: true,
      run: () => "signed",
    });
    const model = new ScriptedModel(call("sign"), say("Signed."));
    const agents = [new Agent({ name: "notary", model, tools: [tool] })];
    const worker = await startWorker(server, agents);
    const client = agentsClient({ ingress: server.ingress, retryForMs: 120_000, replyWithinMs: 120_000 });
    const run = await client.start("notary", "Go", { runId: "n1" });
    await expect.poll(async () => (await run.pending()).length).toBe(1);
    const [question] = await run.pending();
    await worker.close();
    // The server takes it, and has no worker to hand it to.
    const answered = run.approve(question ?? "", true);
    answered.catch(() => {});
    const taken = "select id from sys_invocation where target = 'notary/n1/answer'";
    await expect.poll(() => server.query(taken)).toHaveLength(1);
    await server.kill();
    await server.restart();
    const next = await startWorker(server, agents, { port: Number(new URL(worker.url).port) });
    await expect(answered).resolves.toBe("delivered");
    expect(await run.result()).toMatchObject({ status: "ended", result: { text: "Signed." } });
    await next.close();
  });

  test("a run that Restate itself ended has a report as well", async () => {
    const model = new ScriptedModel(() => new Promise<never>(() => {}));
    const worker = await startWorker(server, [new Agent({ name: "victim", model })]);
    const run = await agentsClient({ ingress: server.ingress }).start("victim", "Go", { runId: "v1" });
    await expect.poll(() => model.requests.length).toBe(1);
    const [row] = await server.query("select id from sys_invocation where target = 'victim/v1/run'");
    const killed = await fetch(`${server.admin}/invocations/${String(row?.["id"])}/kill`, { method: "PATCH" });
    expect(killed.ok).toBe(true);
    expect(await run.result()).toMatchObject({ status: "failed", runId: "v1", error: { name: "RestateError" } });
    await worker.close();
  });
});
