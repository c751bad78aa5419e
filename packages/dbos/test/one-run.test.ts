import { Agent, defineTool, type ToolContext } from "@pollux/core";
import { call, say, ScriptedModel } from "@pollux/core/testing";
import { expect, onTestFinished, test } from "vitest";
import { agentsClient, serveAgents } from "../src/index.ts";
import { testAgents } from "./support/agents.ts";
import { startPostgres } from "./support/postgres.ts";
import { until } from "./support/until.ts";

// All that DBOS and this package promise each other is in the system tests. A whole database is made: seconds, of a busy machine many.
test("one run on DBOS calls tools, waits for a person, and ends with a report", { timeout: 300_000 }, async () => {
  const postgres = await startPostgres("pglite");
  onTestFinished(() => postgres.close());
  const lines: string[] = [];
  const whose = defineTool({
    name: "whose",
    description: "Tells whose run it is.",
    run: (_, { context, metadata }: ToolContext<{ readonly user: string }>) => ({ user: context.user, metadata }),
  });
  const cashier = new Agent({ name: "cashier", model: new ScriptedModel(call("whose"), say("Done.")), tools: [whose] });
  const worker = await serveAgents({
    agents: [...testAgents({ log: (line) => void lines.push(line) }), cashier],
    context: async ({ agent, runId }) => ({ user: `${agent} ${runId}` }),
    databaseUrl: postgres.url(),
    dbos: { useListenNotify: false, logLevel: "error" },
  });
  onTestFinished(() => worker.close());
  const client = agentsClient({ databaseUrl: postgres.url() });
  onTestFinished(() => client.close());

  const run = await client.start("parallel", "go", { runId: "p1" });
  const asked = await until(async () => (await run.pending())[0]);
  expect(asked).toMatchObject({ agent: "parallel", runId: "p1", callId: "call:1.2", question: "approval" });
  await run.approve(asked, true);
  expect(await run.result()).toMatchObject({
    status: "ended",
    runId: "p1",
    result: { stopReason: "finished", text: "all done", turns: 2 },
  });
  const told = await client.start("cashier", "go", { runId: "c1", metadata: { order: 7 } });
  expect(await told.result()).toMatchObject({
    status: "ended",
    result: { toolCalls: [{ status: "completed", output: { user: "cashier c1", metadata: { order: 7 } } }] },
  });
  expect(lines).toEqual(expect.arrayContaining(["end pair a", "end pair b", "pay 3"]));
});
