// A run whose process dies in the middle of a call and that another process resumes: nothing finished happens twice.
import { spawn } from "node:child_process";
import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { connect } from "@pollux/cli";
import { Agent, defineTool } from "@pollux/core";
import { JsonlStore } from "@pollux/core/node";
import { z } from "zod";

const [folder, mode] = process.argv.slice(2);
if (folder === undefined) await demonstrate();
else await work(folder, mode === "dies");

/** The parent: one process dies, another one finishes. */
async function demonstrate(): Promise<void> {
  const workplace = await mkdtemp(join(tmpdir(), "pollux-resume-"));
  try {
    await run(workplace, "dies");
    await run(workplace, "finishes");
    console.log(`effects:\n${await readFile(join(workplace, "effects.log"), "utf8")}`);
  } finally {
    await rm(workplace, { recursive: true });
  }
}

async function run(workplace: string, how: "dies" | "finishes"): Promise<void> {
  const program = fileURLToPath(import.meta.url);
  const child = spawn(process.execPath, [...process.execArgv, program, workplace, how], { stdio: "inherit" });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.on("exit", (...ending) => resolve(ending)),
  );
  console.log(`process ${child.pid}: ${signal === null ? `ended with ${code}` : `killed by ${signal}`}`);
}

/** A child: starts the run, or resumes it. */
async function work(workplace: string, dies: boolean): Promise<void> {
  await using connection = await connect();
  const sessions = join(workplace, "sessions");
  const count = (line: string): Promise<void> => appendFile(join(workplace, "effects.log"), `${line}\n`);
  const city = z.object({ city: z.string() });
  const book = (name: string, deadly: boolean) =>
    defineTool({
      name,
      description: `Books: ${name.replaceAll("_", " ")}.`,
      input: city,
      effects: "idempotent",
      run: async ({ city: where }, { idempotencyKey }) => {
        await count(`${name} begins`);
        if (deadly) {
          // Not before the hotel's outcome is on disk.
          while (!(await readFile(join(sessions, "trip.jsonl"), "utf8")).includes('"booked"')) await setTimeout(10);
          process.kill(process.pid, "SIGKILL");
        }
        await count(`${name} done in ${where}, key ${idempotencyKey.slice(-8)}`);
        return "booked";
      },
    });
  const agent = new Agent({
    model: "gemini-flash-latest",
    endpoint: connection.endpoint,
    // Sequential, so that the first call is finished when the second one kills the process.
    tools: [
      { ...book("book_hotel", false), sequential: true },
      { ...book("book_train", dies), sequential: true },
    ],
  });
  const session = agent.session({ id: "trip", store: new JsonlStore(sessions) });
  const { lastRun } = await session.state();
  console.log(lastRun === undefined ? "starts" : `resumes; the last run: ${lastRun}`);
  const result =
    lastRun === undefined
      ? await session.send("Please book_hotel in Rome and book_train to Rome.")
      : await session.resume();
  console.log(`${result.stopReason}: ${result.text}`);
}
