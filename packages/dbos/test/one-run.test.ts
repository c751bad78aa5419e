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
  const worker = await serveAgents({
    agents: testAgents({ log: (line) => void lines.push(line) }),
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
  expect(lines).toEqual(expect.arrayContaining(["end pair a", "end pair b", "pay 3"]));
});
