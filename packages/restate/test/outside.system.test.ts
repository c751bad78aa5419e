import { Agent, defineTool } from "@pollux/core";
import { call, calls, hangs, say, ScriptedModel } from "@pollux/core/testing";
import type { AgentRun, PendingAnswer } from "@pollux/engine";
import { agentsClient } from "@pollux/restate";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { restateBinary } from "./support/restate-server.ts";
import { restateSuite } from "./support/restate-suite.ts";
import { startWorker } from "./support/start-worker.ts";

const TOKEN: unknown = expect.stringMatching(/^[0-9a-f]{16}$/);

const nothing = z.object({});

describe.skipIf(restateBinary() === undefined)("what is said to a run on Restate (needs its server's binary)", () => {
  const suite = restateSuite({ inactivityTimeoutMs: 500 });
  const { serve, workers } = suite;

  async function waiting(run: AgentRun, count: number): Promise<readonly PendingAnswer[]> {
    await expect.poll(async () => (await run.pending()).length).toBe(count);
    return await run.pending();
  }

  test("calls wait for a person's word while those that need none run", async () => {
    const ran: string[] = [];
    const toolOf = (name: string, needsApproval: boolean): ReturnType<typeof defineTool> =>
      defineTool({ name, description: name, input: nothing, needsApproval, run: async () => void ran.push(name) });
    const model = new ScriptedModel(calls("pay", "look", "refund"), say("Paid."));
    const tools = [toolOf("pay", true), toolOf("look", false), toolOf("refund", true)];
    const client = await serve(new Agent({ name: "cashier", model, tools }));
    const run = await client.start("cashier", "Pay", { runId: "till" });
    const asked = (index: number, name: string): object => ({
      agent: "cashier",
      runId: "till",
      name: `call:1.${index}/approval`,
      turn: 1,
      callId: `call:1.${index}`,
      call: { name, args: {} },
      question: "approval",
      token: TOKEN,
    });
    expect(await waiting(run, 2)).toEqual([asked(0, "pay"), asked(2, "refund")]);
    await expect.poll(() => ran).toEqual(["look"]);
    await run.approve("call:1.0");
    expect(await waiting(run, 1)).toEqual([asked(2, "refund")]);
    await expect(run.approve("call:1.0", { deny: "too late" })).rejects.toMatchObject({ code: "already-answered" });
    // Long enough for the run to leave the worker.
    await expect
      .poll(() => suite.server.query("select status from sys_invocation where target like '%till/run'"))
      .toEqual([{ status: "suspended" }]);
    await run.approve("call:1.2", { deny: "no money back" });
    expect(await run.result()).toMatchObject({ status: "ended", result: { text: "Paid." } });
    await expect(run.approve("call:1.2")).rejects.toMatchObject({ code: "already-answered" });
    await expect(run.approve("call:9.0")).rejects.toMatchObject({ code: "run-over" });
    expect(ran).toEqual(["look", "pay"]);
    expect(model.requests[1]?.contents.at(-1)?.parts.map((part) => part.functionResponse?.response)).toEqual([
      { output: null },
      { output: null },
      { error: expect.stringContaining("no money back") },
    ]);
  });

  test("an external outcome reaches the run, even if it is sent before the question", async () => {
    const outside = defineTool({ name: "print", description: "Prints.", input: nothing });
    const model = new ScriptedModel(call("print"), call("print"), say("Printed twice."));
    const client = await serve(new Agent({ name: "printer", model, tools: [outside] }));
    await client.run("printer", "p1").answer("call:2.0", { output: { pages: 2 } });
    const run = await client.start("printer", "Print twice", { runId: "p1" });
    const [first] = await waiting(run, 1);
    expect(first).toMatchObject({ callId: "call:1.0", question: "outcome", name: "call:1.0/outcome" });
    await expect(run.answer("call:1.0", { notExecuted: true })).rejects.toThrow(/needs an output or an error/);
    await run.answer("call:1.0", { error: "no paper" });
    expect(await run.result()).toMatchObject({ status: "ended", result: { text: "Printed twice." } });
    expect(
      model.requests.slice(1).map(({ contents }) => contents.at(-1)?.parts[0]?.functionResponse?.response),
    ).toEqual([{ error: expect.stringContaining("no paper") }, { output: { pages: 2 } }]);
  });

  test("a question that is not answered in time ends", async () => {
    const outside = defineTool({ name: "ask", description: "Asks.", input: nothing, answerTimeoutMs: 300 });
    const model = new ScriptedModel(call("ask"), say("Nobody there."));
    const client = await serve(new Agent({ name: "patient", model, tools: [outside] }));
    const run = await client.start("patient", "Ask");
    expect(await run.result()).toMatchObject({ status: "ended", result: { text: "Nobody there." } });
    expect(JSON.stringify(model.requests[1]?.contents.at(-1))).toContain("300 ms");
  });

  test("a question of a run inside is found and answered", async () => {
    const pay = defineTool({
      name: "pay",
      description: "Pays.",
      input: nothing,
      needsApproval: true,
      run: async () => 1,
    });
    const inner = new Agent({ name: "payer", model: new ScriptedModel(call("pay"), say("Paid.")), tools: [pay] });
    const model = new ScriptedModel(call("payer", { task: "Pay" }), say("It is paid."));
    const outer = new Agent({ name: "clerk", model, tools: [inner.asTool({ description: "Pays." })] });
    const client = await serve(outer, inner);
    const run = await client.start("clerk", "Pay", { runId: "c1" });
    const [question] = await waiting(run, 1);
    expect(question).toEqual({
      agent: "payer",
      runId: "c1:call:1.0",
      name: "call:1.0/approval",
      path: ["payer"],
      turn: 1,
      callId: "call:1.0",
      call: { name: "pay", args: {} },
      question: "approval",
      token: TOKEN,
    });
    if (question !== undefined) await run.approve(question);
    expect(await run.result()).toMatchObject({ status: "ended", result: { text: "It is paid." } });
  });

  test("what is said to a run goes along with its next request, and keeps it from ending", async () => {
    const gates: (() => void)[] = [];
    const pause = (): Promise<void> => new Promise((resolve) => gates.push(resolve));
    const model = new ScriptedModel(
      async () => {
        await pause();
        return call("look");
      },
      async () => {
        await pause();
        return say("First answer.");
      },
      say("Second answer."),
    );
    const look = defineTool({ name: "look", description: "Looks.", input: nothing, run: async () => "seen" });
    const client = await serve(new Agent({ name: "listener", model, tools: [look] }));
    const run = await client.start("listener", "Go");
    const said = (text: string): object => ({ role: "user", parts: [{ text }] });
    await expect.poll(() => gates.length).toBe(1);
    await run.steer("Be brief.");
    await run.steer([{ role: "user", parts: [{ text: "And kind." }] }]);
    gates[0]?.();
    await expect.poll(() => gates.length).toBe(2);
    await run.steer("One thing more.");
    gates[1]?.();
    expect(await run.result()).toMatchObject({ status: "ended", result: { text: "Second answer." } });
    expect(model.requests[1]?.contents.slice(-2)).toEqual([said("Be brief."), said("And kind.")]);
    expect(model.requests[2]?.contents.at(-1)).toEqual(said("One thing more."));
    await expect(run.steer("Too late")).rejects.toMatchObject({ code: "run-over" });
  });

  test("a message that comes after the run's last look is refused, and the run ends as it would have", async () => {
    const gates: (() => void)[] = [];
    // It takes no schema beside tools: its answer is converted after the last look.
    const model = ScriptedModel.with({ capabilities: { outputWithFunctions: false } }, say("Three."), async () => {
      await new Promise<void>((resolve) => gates.push(resolve));
      return say('{"sum":3}');
    });
    const look = defineTool({ name: "look", description: "Looks.", input: nothing, run: () => "seen" });
    const client = await serve(new Agent({ name: "adder", model, tools: [look] }));
    const output = { type: "object", properties: { sum: { type: "number" } }, required: ["sum"] };
    const run = await client.start("adder", "1 + 2", { output });
    await expect.poll(() => gates.length).toBe(1);
    expect(await run.state()).toMatchObject({ status: "running" });
    await expect(run.steer("Make it four.")).rejects.toMatchObject({ code: "run-over" });
    gates[0]?.();
    const report = await run.result();
    expect(report).toMatchObject({ status: "ended", result: { output: { sum: 3 } } });
    expect(report).not.toHaveProperty("unread");
  });

  test("a message that a limit left unread is in the report", async () => {
    const gates: (() => void)[] = [];
    const look = defineTool({
      name: "look",
      description: "Looks.",
      input: nothing,
      run: () => new Promise<void>((resolve) => gates.push(resolve)),
    });
    const model = new ScriptedModel(call("look"));
    const client = await serve(new Agent({ name: "hasty", model, tools: [look], limits: { turns: 1 } }));
    const run = await client.start("hasty", "Go");
    await expect.poll(() => gates.length).toBe(1);
    expect(await run.steer("Wait.")).toBe("delivered");
    gates[0]?.();
    expect(await run.result()).toMatchObject({
      status: "ended",
      result: { stopReason: "limit" },
      unread: [{ role: "user", parts: [{ text: "Wait." }] }],
    });
  });

  test("a run inside asks the approve of the agent that called it", async () => {
    const asked: unknown[] = [];
    const pay = defineTool({ name: "pay", description: "Pays.", input: nothing, needsApproval: true, run: () => 1 });
    const inner = new Agent({ name: "treasurer", model: new ScriptedModel(call("pay"), say("Paid.")), tools: [pay] });
    const outer = new Agent({
      name: "chair",
      model: new ScriptedModel(call("treasury", { task: "Pay" }), say("It is paid.")),
      tools: [inner.asTool({ name: "treasury", description: "Pays." })],
      approve: (pending) => asked.push(pending) > 0,
    });
    const client = await serve(outer, inner);
    const run = await client.start("chair", "Pay", { runId: "ch1" });
    expect(await run.result()).toMatchObject({ status: "ended", result: { text: "It is paid." } });
    expect(asked).toEqual([
      {
        turn: 1,
        callId: "call:1.0",
        call: { name: "pay", args: {} },
        question: "approval",
        token: TOKEN,
        path: ["treasury"],
      },
    ]);
    expect(await client.run("treasurer", "ch1:call:1.0").result()).toMatchObject({ result: { text: "Paid." } });
  });

  test("a run that is cancelled in the middle of a text reports what was shown of it", async () => {
    const client = await serve(new Agent({ name: "talker", model: new ScriptedModel(hangs("So far, ", "so good")) }));
    const run = await client.start("talker", "Talk");
    let shown = "";
    for await (const { event } of run.events()) {
      if (event.type === "text-delta") shown += event.delta;
      if (shown === "So far, so good") break;
    }
    const partial = { role: "model", parts: [{ text: shown }] };
    expect(await run.cancel()).toMatchObject({
      status: "cancelled",
      soFar: { contents: [{ role: "user" }, partial], interrupted: partial },
    });
  });

  test("cancelling ends the run, its steps in flight, and the runs inside it", async () => {
    let aborted = 0;
    const wait = defineTool({
      name: "wait",
      description: "Waits.",
      input: nothing,
      run: (_, { signal }) =>
        new Promise<never>((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            aborted += 1;
            reject(signal.reason);
          });
        }),
    });
    const inner = new Agent({ name: "inner", model: new ScriptedModel(hangs("thinking")) });
    const model = new ScriptedModel(calls("wait", { name: "inner", args: { task: "Think" } }));
    const outer = new Agent({ name: "outer", model, tools: [wait, inner.asTool({ description: "Thinks." })] });
    const client = await serve(outer, inner);
    const run = await client.start("outer", "Go", { runId: "o1" });
    await expect.poll(async () => (await client.run("inner", "o1:call:1.1").state())?.steps).toEqual(["model:1"]);
    const report = await run.cancel();
    expect(report).toMatchObject({ status: "cancelled", runId: "o1", soFar: { turns: 1 } });
    expect(await client.run("inner", "o1:call:1.1").result()).toMatchObject({ status: "cancelled" });
    expect(await run.state()).toMatchObject({ status: "cancelled", steps: [], children: [] });
    await expect.poll(() => aborted).toBe(1);
    // Once more changes nothing.
    expect(await run.cancel()).toEqual(report);
  });

  test("a run that waits can be cancelled", async () => {
    const outside = defineTool({ name: "ask", description: "Asks.", input: nothing });
    const client = await serve(new Agent({ name: "waiter", model: new ScriptedModel(call("ask")), tools: [outside] }));
    const run = await client.start("waiter", "Ask");
    await waiting(run, 1);
    expect(await run.cancel()).toMatchObject({ status: "cancelled" });
    expect(await run.pending()).toEqual([]);
  });

  test("whether a once call happened is asked when its worker died in it", async () => {
    let begun = 0;
    const transfer = defineTool({
      name: "transfer",
      description: "Moves money.",
      input: nothing,
      effects: "once",
      unknownOutcome: "ask",
      run: async () => {
        begun += 1;
        return await new Promise<never>(() => {});
      },
    });
    const agentOf = (model: ScriptedModel): Agent => new Agent({ name: "bank", model, tools: [transfer] });
    const first = await startWorker(suite.server, [agentOf(new ScriptedModel(call("transfer")))]);
    const run = await agentsClient({ ingress: suite.server.ingress }).start("bank", "Move it");
    await expect.poll(() => begun).toBe(1);
    await first.close();
    const port = Number(new URL(first.url).port);
    workers.push(await startWorker(suite.server, [agentOf(new ScriptedModel(say("Moved.")))], { port }));
    expect(await waiting(run, 1)).toMatchObject([{ callId: "call:1.0", question: "unknown-outcome" }]);
    await run.answer("call:1.0", { output: "it did" });
    expect(await run.result()).toMatchObject({ status: "ended", result: { text: "Moved." } });
    expect(begun).toBe(1);
  });
});
