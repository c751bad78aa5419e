// Starts a run on Restate, or finds an existing one: node restate-ask.ts [id]
import { agentsClient } from "@pollux/restate";

const [runId = "trip-1"] = process.argv.slice(2);
const client = agentsClient<"planner">({ ingress: process.env["RESTATE_INGRESS"] });
const run = await client.start("planner", "Please call get_weather for Oslo, then tell me what to pack.", { runId });
const report = await run.result();
if (report.status === "ended") {
  const { stopReason, turns, text } = report.result;
  console.log(`${stopReason} after ${turns} turns: ${text}`);
} else console.log(report);
