// Starts a run on DBOS, or finds an existing one: node dbos-ask.ts [id]
import { agentsClient } from "@pollux/dbos";

const [runId = "trip-1"] = process.argv.slice(2);
const client = agentsClient<"planner">({ databaseUrl: process.env["DBOS_SYSTEM_DATABASE_URL"] });
const run = await client.start("planner", "Please call get_weather for Oslo, then tell me what to pack.", { runId });
const report = await run.result();
if (report.status === "ended") {
  const { stopReason, turns, text } = report.result;
  console.log(`${stopReason} after ${turns} turns: ${text}`);
} else console.log(report);
await client.close();
