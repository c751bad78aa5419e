// One process and a file: node one-machine.ts [id] [file]. Restarted after a crash, it resumes where it stopped.
import { SqliteStore } from "@pollux/core/node";
import { connection, planner, QUESTION } from "./agents.ts";

const [id = "trip-1", file = "trips.sqlite"] = process.argv.slice(2);
using store = new SqliteStore(file);
const session = planner.session({ id, store });

const result = await session.continue({ message: QUESTION, runId: `${id}/question` });
console.log(`${result.stopReason} after ${result.turns} turns: ${result.text}`);

await connection[Symbol.asyncDispose]();
