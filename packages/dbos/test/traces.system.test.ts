import { Agent, defineTool } from "@pollux/core";
import type { ObservedEvent, Observer } from "@pollux/core/observers";
import { assertObservations, call, say, ScriptedModel, type ScriptedTurn } from "@pollux/core/testing";
import { expect, onTestFinished, test } from "vitest";
import { agentsClient, type AgentsWorker, serveAgents } from "../src/index.ts";
import { startPostgres } from "./support/postgres.ts";
import { until } from "./support/until.ts";

test("a run that another worker goes on with is linked to its last trace", async () => {
  const postgres = await startPostgres("pglite");
  onTestFinished(() => postgres.close());
  const databaseUrl = postgres.url();
  const pay = defineTool({ name: "pay", description: "Pays.", needsApproval: true, run: () => "paid" });

  /** A worker, and what is observed in it; its runs are in the trace of this number. */
  async function serve(trace: number, ...script: ScriptedTurn[]): Promise<AgentsWorker & { seen: ObservedEvent[] }> {
    const seen: ObservedEvent[] = [];
    const observer: Observer = {
      observe: (one) => void seen.push(one),
      traceparent: () => traceparentOf(trace),
    };
    const model = new ScriptedModel(...script);
    const cashier = new Agent({ name: "cashier", model, tools: [pay], observers: [observer] });
    const dbos = { useListenNotify: false, logLevel: "error" } as const;
    const worker = await serveAgents({ agents: [cashier], databaseUrl, dbos });
    onTestFinished(() => worker.close());
    return Object.assign(worker, { seen });
  }

  const first = await serve(1, call("pay"));
  const client = agentsClient({ databaseUrl });
  onTestFinished(() => client.close());
  const run = await client.start("cashier", "Pay.", { runId: "t1" });
  const asked = await until(async () => (await run.pending())[0]);
  await first.close();
  const second = await serve(2, say("Paid."));
  await run.approve(asked);
  expect(await run.result()).toMatchObject({ status: "ended", result: { text: "Paid." } });

  expect(first.seen[0]?.run.resumedFrom).toBeUndefined();
  assertObservations(second.seen);
  expect(second.seen[0]).toMatchObject({ run: { resumed: true, resumedFrom: traceparentOf(1) } });
  const steps = second.seen.flatMap((one) => (one.type === "step-start" ? [one.step.name] : []));
  expect(steps).toEqual(["call:1.0", "model:2"]);
});

function traceparentOf(trace: number): string {
  return `00-${trace.toString(16).padStart(32, "0")}-00000000000000ff-01`;
}
