import { Agent, defineTool } from "@pollux/core";
import type { EngineEvent } from "@pollux/engine";
import { call, say } from "@pollux/core/testing";
import { agentsClient } from "@pollux/restate";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { GatedModel } from "./support/gated-model.ts";
import { restateBinary } from "./support/restate-server.ts";
import { restateSuite } from "./support/restate-suite.ts";
import { startWorker } from "./support/start-worker.ts";

describe.skipIf(restateBinary() === undefined)("live events of a run on Restate (needs its server's binary)", () => {
  const suite = restateSuite();
  const { workers } = suite;

  /** Reads until the run's end, into a list. */
  function reader(events: AsyncIterable<EngineEvent>): { readonly got: EngineEvent[]; readonly end: Promise<void> } {
    const got: EngineEvent[] = [];
    const end = (async () => {
      for await (const event of events) got.push(event);
    })();
    return { got, end };
  }

  function textOf(events: readonly EngineEvent[]): string {
    return events.map(({ event }) => (event.type === "text-delta" ? event.delta : "")).join("");
  }

  test("text and progress come while they happen, to several readers, and end with the run", async () => {
    const look = defineTool({
      name: "look",
      description: "Looks.",
      input: z.object({}),
      run: async (_, context) => {
        await context.progress("half");
        return "seen";
      },
    });
    const model = new GatedModel(call("look"), say("one ", "two ", "three"));
    let last: () => void = () => {};
    model.gate = (said) => (said < 2 ? Promise.resolve() : new Promise((resolve) => (last = resolve)));
    workers.push(await startWorker(suite.server, [new Agent({ name: "narrator", model, tools: [look] })]));
    const run = await agentsClient({ ingress: suite.server.ingress }).start("narrator", "Count", { runId: "n1" });
    const first = reader(run.events());
    await expect.poll(() => textOf(first.got)).toBe("one two ");
    const late = reader(run.events());
    await expect.poll(() => textOf(late.got)).toBe("one two ");
    last();
    await Promise.all([first.end, late.end]);
    expect(late.got).toEqual(first.got);
    const from = { runId: "n1", attempt: 1 };
    const about = { turn: 1, callId: "call:1.0" };
    expect(first.got.slice(0, 4)).toEqual([
      { ...from, step: "model:1", seq: 0, event: expect.objectContaining({ type: "part" }) },
      {
        ...from,
        step: "call:1.0",
        seq: 0,
        event: { ...about, type: "tool-start", name: "look", call: { name: "look", args: {} } },
      },
      { ...from, step: "call:1.0", seq: 1, event: { ...about, type: "tool-progress", progress: "half" } },
      { ...from, step: "call:1.0", seq: 2, event: expect.objectContaining({ type: "tool-end" }) },
    ]);
    expect(first.got.slice(4).every(({ step }) => step === "model:2")).toBe(true);
    expect(textOf(first.got)).toBe("one two three");
  });

  test("a reader moves on to the next worker, and learns that the step was restarted", async () => {
    const agentOf = (model: GatedModel): Agent => new Agent({ name: "moved", model });
    const stuck = new GatedModel(say("never ", "said"));
    stuck.gate = (said) => (said === 0 ? Promise.resolve() : new Promise(() => {}));
    const dying = await startWorker(suite.server, [agentOf(stuck)]);
    const run = await agentsClient({ ingress: suite.server.ingress }).start("moved", "Go", { runId: "m1" });
    const { got, end } = reader(run.events());
    await expect.poll(() => got).toHaveLength(1);
    await dying.close();
    const port = Number(new URL(dying.url).port);
    workers.push(await startWorker(suite.server, [agentOf(new GatedModel(say("Said.")))], { port }));
    await end;
    const from = { runId: "m1", step: "model:1", seq: 0 };
    expect(got).toEqual([
      { ...from, attempt: 1, event: { type: "text-delta", turn: 1, delta: "never " } },
      { ...from, attempt: 2, event: { type: "text-delta", turn: 1, delta: "Said." } },
    ]);
    expect(await run.result()).toMatchObject({ status: "ended", result: { text: "Said." } });
  });

  test("of more than is kept, the oldest is dropped, and the numbers say so", async () => {
    const model = new GatedModel(say(...Array.from({ length: 20 }, () => "x".repeat(1_000))));
    let follower: ReturnType<typeof reader> | undefined;
    let finish: (() => void) | undefined;
    // Each piece waits until somebody has read the one before, so that they are not put together.
    model.gate = async (said) => {
      if (said === 19) return await new Promise((resolve) => (finish = resolve));
      await expect.poll(() => follower?.got).toHaveLength(said);
    };
    workers.push(
      await startWorker(suite.server, [new Agent({ name: "verbose", model })], { events: { maxBytes: 3_500 } }),
    );
    const run = await agentsClient({ ingress: suite.server.ingress }).start("verbose", "Much");
    follower = reader(run.events());
    await expect.poll(() => finish).toBeDefined();
    const { got, end } = reader(run.events());
    await expect.poll(() => got.length).toBeGreaterThan(0);
    finish?.();
    await Promise.all([end, follower.end]);
    expect(got[0]?.seq).toBeGreaterThan(5);
    expect(await run.result()).toMatchObject({ status: "ended" });
  });

  test("a reader may leave, and a worker may serve no events", async () => {
    const model = new GatedModel(say("one ", "two"));
    let finish: () => void = () => {};
    model.gate = (said) => (said === 0 ? Promise.resolve() : new Promise((resolve) => (finish = resolve)));
    workers.push(await startWorker(suite.server, [new Agent({ name: "left", model })]));
    const client = agentsClient({ ingress: suite.server.ingress });
    const run = await client.start("left", "Go");
    const leaving = new AbortController();
    const seen: EngineEvent[] = [];
    await expect(async () => {
      for await (const event of run.events({ signal: leaving.signal })) {
        seen.push(event);
        leaving.abort(new Error("enough"));
      }
    }).rejects.toThrow("enough");
    for await (const event of run.events()) {
      seen.push(event);
      break;
    }
    expect(seen).toHaveLength(2);
    finish();
    expect(await run.result()).toMatchObject({ status: "ended" });

    const silent = new Agent({ name: "silent", model: new GatedModel(say("Hm.")) });
    workers.push(await startWorker(suite.server, [silent], { events: false }));
    const quiet = reader((await client.start("silent", "Go")).events());
    await quiet.end;
    expect(quiet.got).toEqual([]);
  });
});
