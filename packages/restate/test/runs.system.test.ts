import { createServer, type ServerHttp2Session } from "node:http2";
import { Agent, defineTool, type Tool } from "@pollux/core";
import { call, calls, fails, say, ScriptedModel } from "@pollux/core/testing";
import { agentsClient } from "@pollux/restate";
import { createEndpointHandler, workflow, type WorkflowContext } from "@restatedev/restate-sdk";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { restateBinary } from "./support/restate-server.ts";
import { restateSuite } from "./support/restate-suite.ts";
import { startWorker } from "./support/start-worker.ts";

const city = z.object({ city: z.string() });

describe.skipIf(restateBinary() === undefined)("runs of agents on Restate (needs its server's binary)", () => {
  const suite = restateSuite();
  const { serve, workers } = suite;

  test("a run gives the same result as without an engine, its tools side by side", async () => {
    let meet: (() => void) | undefined;
    const weather = defineTool({
      name: "weather",
      description: "Weather in a city.",
      input: city,
      run: async (input) => {
        // One waits for the other.
        if (meet === undefined) await new Promise<void>((resolve) => (meet = resolve));
        else meet();
        return `rain in ${input.city}`;
      },
    });
    const script = [
      calls({ name: "weather", args: { city: "Oslo" } }, { name: "weather", args: { city: "Rome" } }),
      say("Rain in both."),
    ];
    const agentOf = (name: string): Agent => new Agent({ name, model: new ScriptedModel(...script), tools: [weather] });
    const client = await serve(agentOf("parallel"));
    const run = await client.start("parallel", "Weather in Oslo and Rome?", { runId: "both" });
    const report = await run.result();
    meet = undefined;
    const { toolCalls, responses, ...expected } = await agentOf("parallel").run("Weather in Oslo and Rome?", {
      runId: "both",
    });
    expect(responses).toHaveLength(2);
    expect(report).toEqual({
      status: "ended",
      runId: "both",
      activeMs: expect.any(Number),
      read: [{ tool: "weather", reads: "both" }],
      result: {
        ...JSON.parse(JSON.stringify(expected)),
        toolCalls: toolCalls.map((one) => ({ ...one, durationMs: expect.any(Number) })),
      },
    });
    expect(await run.state()).toEqual({
      runId: "both",
      agent: "parallel",
      status: "ended",
      turn: 2,
      steps: [],
      questions: [],
      children: [],
    });
  });

  test("a second start with the same id starts nothing", async () => {
    const model = new ScriptedModel(say("Once."));
    const client = await serve(new Agent({ name: "idempotent", model }));
    const [first, second] = await Promise.all([
      client.start("idempotent", "Say it", { runId: "same" }),
      client.start("idempotent", "Say something else", { runId: "same" }),
    ]);
    expect(await second.result()).toEqual(await first.result());
    expect(model.requests).toHaveLength(1);
    await (await client.start("idempotent", "And after its end?", { runId: "same" })).result();
    expect(model.requests).toHaveLength(1);
  });

  test("typed output is checked", async () => {
    const model = new ScriptedModel(say('{"days": 3}'));
    const client = await serve(new Agent({ name: "typed", model }));
    const output = { type: "object", properties: { days: { type: "integer" } }, required: ["days"] };
    const report = await (await client.start("typed", "How long?", { output })).result();
    expect(report).toMatchObject({ status: "ended", result: { stopReason: "finished", output: { days: 3 } } });
  });

  test("a failure of the model is a report, and is not tried again", async () => {
    const model = new ScriptedModel(fails(new Error("the model is gone")));
    const client = await serve(new Agent({ name: "failing", model }));
    const run = await client.start("failing", "Hello", { runId: "bad" });
    expect(await run.result()).toEqual({
      status: "failed",
      runId: "bad",
      activeMs: expect.any(Number),
      error: { name: "Error", message: "the model is gone" },
      soFar: expect.objectContaining({ runId: "bad", contents: [{ role: "user", parts: [{ text: "Hello" }] }] }),
    });
    expect(model.requests).toHaveLength(1);
    expect(await run.state()).toMatchObject({ status: "failed" });
  });

  test("a value that is too large to be kept fails the run with advice, after one try", async () => {
    const model = new ScriptedModel(say("x".repeat(9 * 1024 * 1024)));
    const client = await serve(new Agent({ name: "oversize", model }));
    const report = await (await client.start("oversize", "Much")).result();
    expect(report).toMatchObject({
      status: "failed",
      error: { name: "ValueTooLargeError", code: "value-too-large", message: expect.stringContaining("model:1") },
    });
    expect(model.requests).toHaveLength(1);
  });

  test("a report that the server would not take leaves the conversation out", async () => {
    const client = await serve(new Agent({ name: "viewer", model: new ScriptedModel(say("A cat.")) }));
    const image = { inlineData: { mimeType: "image/png", data: "A".repeat(17 * 1024 * 1024) } };
    const run = await client.start("viewer", [image, "What is it?"], { limits: { turns: Infinity } });
    expect(await run.result()).toMatchObject({
      status: "ended",
      omitted: ["contents", "added", "toolCalls"],
      result: { text: "A cat.", contents: [] },
    });
  });

  test("an agent that is a tool runs as a workflow of its own", async () => {
    const researcher = new Agent({ name: "researcher", model: new ScriptedModel(say("It is 42.")) });
    const model = new ScriptedModel(call("researcher", { task: "Find out" }), say("42, they say."));
    const boss = new Agent({ name: "boss", model, tools: [researcher.asTool({ description: "Finds things out." })] });
    const client = await serve(boss, researcher);
    const report = await (await client.start("boss", "What is it?", { runId: "b1" })).result();
    expect(report).toMatchObject({
      status: "ended",
      result: { stopReason: "finished", text: "42, they say.", usage: { requests: 3 } },
    });
    expect(await client.run("researcher", "b1:call:1.0").result()).toMatchObject({
      status: "ended",
      result: { text: "It is 42." },
    });
  });

  test("a run outlives its worker and a crash of the server: what was done is not done again", async () => {
    const done: string[] = [];
    const finish: (() => void)[] = [];
    const quick = defineTool({
      name: "quick",
      description: "Quick.",
      input: z.object({}),
      run: async () => void done.push("quick"),
    });
    const slow = defineTool({
      name: "slow",
      description: "Slow.",
      input: z.object({}),
      run: async () => {
        done.push("slow");
        await new Promise<void>((resolve) => finish.push(resolve));
      },
    });
    const agentOf = (model: ScriptedModel): Agent => new Agent({ name: "survivor", model, tools: [quick, slow] });
    const first = await startWorker(suite.server, [agentOf(new ScriptedModel(calls("quick", "slow")))]);
    const run = await agentsClient({ ingress: suite.server.ingress }).start("survivor", "Go");
    await expect.poll(() => done.toSorted()).toEqual(["quick", "slow"]);
    // The version of the loop, the model's answer and the quick call.
    const recorded = `select count(*) as n from sys_journal j join sys_invocation i on j.id = i.id
      where i.target = 'survivor/${run.runId}/run' and j.entry_type = 'Notification: Run'`;
    await expect.poll(() => suite.server.query(recorded)).toEqual([{ n: 3 }]);
    await first.close();
    await suite.server.kill();
    await suite.server.restart();
    const port = Number(new URL(first.url).port);
    workers.push(await startWorker(suite.server, [agentOf(new ScriptedModel(say("Done.")))], { port }));
    await expect.poll(() => finish.length).toBe(2);
    for (const end of finish) end();
    expect(await run.result()).toMatchObject({ status: "ended", result: { text: "Done." } });
    expect(done.toSorted()).toEqual(["quick", "slow", "slow"]);
  });

  test("a step that takes longer than a run may be idle is not begun again", async () => {
    const begun: string[] = [];
    const lines: string[] = [];
    const slow = (name: string, ms: number): Tool =>
      defineTool({
        name,
        description: name,
        input: z.object({}),
        run: async () => {
          begun.push(name);
          await new Promise((resolve) => setTimeout(resolve, ms));
        },
      });
    const model = new ScriptedModel(calls("short", "long"), say("Done."));
    const agent = new Agent({ name: "slowpoke", model, tools: [slow("short", 700), slow("long", 1_500)] });
    const line = (_: object, message: string): void => void lines.push(message);
    const logger = { trace: line, debug: line, info: line, warn: line, error: line };
    workers.push(await startWorker(suite.server, [agent], { inactivityTimeoutMs: 200, logger }));
    const run = await agentsClient({ ingress: suite.server.ingress }).start("slowpoke", "Go");
    expect(await run.result()).toMatchObject({ status: "ended", result: { text: "Done." } });
    expect(begun.toSorted()).toEqual(["long", "short"]);
    expect(model.requests).toHaveLength(2);
    expect(lines).toContain("Starting invocation.");
  });

  test("a run that another version of the loop began waits for that version", async () => {
    let lives = 0;
    const old = workflow({
      name: "aged",
      handlers: {
        run: async (ctx: WorkflowContext) => {
          await ctx.promise("begun").resolve(ctx.request().id);
          const state = { runId: ctx.key, agent: "aged", status: "running", turn: 0 };
          ctx.set("run", { ...state, steps: ["loop-version"], questions: [], children: [] });
          await ctx.run("loop-version", () => ({ ok: true, value: 0 }));
          await ctx.run("model:1", () => (++lives === 1 ? new Promise<never>(() => {}) : "answered"));
          return { status: "cancelled", runId: ctx.key, activeMs: 0 };
        },
      },
    });
    const model = new ScriptedModel();
    const worker = await startWorker(suite.server, [new Agent({ name: "aged", model })]);
    const port = Number(new URL(worker.url).port);
    const run = agentsClient({ ingress: suite.server.ingress }).run("aged", "a1");
    await worker.close();

    const before = await serveOld(port);
    await agentsClient({ ingress: suite.server.ingress }).start("aged", "Go", { runId: "a1" });
    await expect.poll(() => lives).toBe(1);
    await before();
    workers.push(await startWorker(suite.server, [new Agent({ name: "aged", model })], { port }));
    const failure = "select last_failure from sys_invocation where target = 'aged/a1/run'";
    await expect
      .poll(async () => String((await suite.server.query(failure))[0]?.["last_failure"]))
      .toMatch(/version 0/);
    await workers.pop()?.close();
    const after = await serveOld(port);
    await expect(run.result()).resolves.toBeDefined();
    await after();
    expect(model.requests).toHaveLength(0);

    async function serveOld(at: number): Promise<() => Promise<void>> {
      const sessions = new Set<ServerHttp2Session>();
      const endpoint = createServer(createEndpointHandler({ services: [old], logger: () => {} }));
      endpoint.on("session", (session) => sessions.add(session));
      await new Promise<void>((resolve) => endpoint.listen(at, "127.0.0.1", resolve));
      return async () => {
        const closed = new Promise((resolve) => endpoint.close(resolve));
        for (const session of sessions) session.destroy();
        await closed;
      };
    }
  });
});
