import { Agent, defineTool } from "@pollux/core";
import { call, calls, say, ScriptedModel } from "@pollux/core/testing";
import { type AgentsClient, agentsClient, type RestateRun } from "@pollux/restate";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { restateBinary } from "./support/restate-server.ts";
import { restateSuite } from "./support/restate-suite.ts";
import { startWorker } from "./support/start-worker.ts";

const nothing = z.object({});

describe.skipIf(restateBinary() === undefined)("while no worker is running (needs Restate's server's binary)", () => {
  const suite = restateSuite();

  /** A client that does not wait long for a worker that is not there. */
  function impatient(): AgentsClient<string> {
    return agentsClient({ ingress: suite.server.ingress, replyWithinMs: 200 });
  }

  /** Starts a run, stops its worker at a point, lets the test speak to the run, and starts the next worker. */
  async function betweenWorkers(
    agents: { readonly first: Agent; readonly next: Agent },
    until: (run: RestateRun) => Promise<unknown>,
    speak: (run: RestateRun) => Promise<void>,
  ): Promise<RestateRun> {
    const first = await startWorker(suite.server, [agents.first]);
    const run = await impatient().start(agents.first.name, "Go");
    await until(run);
    await first.close();
    await speak(run);
    suite.workers.push(await startWorker(suite.server, [agents.next], { port: Number(new URL(first.url).port) }));
    return run;
  }

  test("answers and messages are accepted and count once one is", async () => {
    const sign = defineTool({
      name: "sign",
      description: "x",
      input: nothing,
      needsApproval: true,
      run: () => "signed",
    });
    const print = defineTool({ name: "print", description: "x", input: nothing });
    const agentOf = (model: ScriptedModel): Agent => new Agent({ name: "office", model, tools: [sign, print] });
    const last = new ScriptedModel(say("Done."));
    const run = await betweenWorkers(
      { first: agentOf(new ScriptedModel(calls("sign", "print"))), next: agentOf(last) },
      (one) => expect.poll(async () => (await one.pending()).length).toBe(2),
      async (one) => {
        expect(await one.approve("call:1.0")).toBe("accepted");
        expect(await one.answer("call:1.1", { output: "two pages" })).toBe("accepted");
        expect(await one.steer("And hurry.")).toBe("accepted");
      },
    );
    expect(await run.result()).toMatchObject({ status: "ended", result: { text: "Done." } });
    expect(last.requests[0]?.contents.slice(-2)).toEqual([
      {
        role: "user",
        parts: [
          { functionResponse: { name: "sign", response: { output: "signed" } } },
          { functionResponse: { name: "print", response: { output: "two pages" } } },
        ],
      },
      { role: "user", parts: [{ text: "And hurry." }] },
    ]);
    // With a worker, it is known what became of an answer.
    const known = agentsClient({ ingress: suite.server.ingress }).run("office", run.runId);
    await expect(known.approve("call:1.0")).rejects.toMatchObject({ code: "already-answered" });
  });

  test.each([
    ["it did", { output: "it did" }, 1],
    ["it did not", { notExecuted: true }, 2],
  ] as const)("a person says about a call during which the worker died that %s", async (_, outcome, times) => {
    let begun = 0;
    const transfer = defineTool({
      name: "transfer",
      description: "x",
      input: nothing,
      effects: "once",
      unknownOutcome: "ask",
      run: () => (++begun === 1 ? new Promise<never>(() => {}) : "moved"),
    });
    const agentOf = (model: ScriptedModel): Agent => new Agent({ name: "vault", model, tools: [transfer] });
    const run = await betweenWorkers(
      { first: agentOf(new ScriptedModel(call("transfer"))), next: agentOf(new ScriptedModel(say("Moved."))) },
      () => expect.poll(() => begun).toBe(1),
      async (one) => {
        expect(await one.answer("call:1.0", outcome)).toBe("accepted");
      },
    );
    expect(await run.result()).toMatchObject({ status: "ended", result: { text: "Moved." } });
    expect(begun).toBe(times);
  });

  test("a cancellation is accepted, and the run has ended once one is", async () => {
    const print = defineTool({ name: "print", description: "x", input: nothing });
    const agentOf = (model: ScriptedModel): Agent => new Agent({ name: "press", model, tools: [print] });
    const run = await betweenWorkers(
      { first: agentOf(new ScriptedModel(call("print"))), next: agentOf(new ScriptedModel()) },
      (one) => expect.poll(async () => (await one.pending()).length).toBe(1),
      async (one) => {
        expect(await one.requestCancel()).toBe("accepted");
      },
    );
    expect(await run.result()).toMatchObject({ status: "cancelled", soFar: { turns: 1 } });
    expect(await run.requestCancel()).toBe("delivered");
  });

  test("what the server knows by itself is said at once", async () => {
    const worker = await startWorker(suite.server, [
      new Agent({ name: "brief", model: new ScriptedModel(say("Hi.")) }),
    ]);
    const client = impatient();
    const over = await client.start("brief", "Go");
    await over.result();
    await worker.close();
    await expect(over.steer("More.")).rejects.toMatchObject({ code: "run-over" });
    await expect(over.approve("call:1.0")).rejects.toMatchObject({ code: "run-over" });
    expect(await over.requestCancel()).toBe("delivered");
    const never = client.run("brief", "never-begun");
    await expect(never.steer("More.")).rejects.toMatchObject({ code: "run-unknown" });
    await expect(never.requestCancel()).rejects.toMatchObject({ code: "run-unknown" });
    const nobody = client.run("nobody", "r");
    await expect(nobody.approve("call:1.0")).rejects.toMatchObject({ code: "agent-unknown" });
    await expect(nobody.steer("More.")).rejects.toMatchObject({ code: "run-unknown" });
    await expect(nobody.requestCancel()).rejects.toMatchObject({ code: "run-unknown" });
  });
});
