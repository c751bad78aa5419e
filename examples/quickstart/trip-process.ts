// Started by crash-and-resume.ts: sends the request to the session, or resumes what another process left.
import { connect, RunPrinter } from "@pollux/cli";
import { openTrip, REQUEST } from "./trip.ts";

const [folder = "", model = "", how] = process.argv.slice(2);
const printer = new RunPrinter({ indent: 8 });
try {
  await using connection = await connect();
  const session = openTrip({
    folder,
    model,
    endpoint: connection.endpoint,
    whileBookingTrain: how === "killed" ? waitForTheKill : undefined,
  });
  const { lastRun } = await session.state();
  const stream = lastRun === undefined ? session.stream(REQUEST) : session.resumeStream();
  for await (const event of stream) printer.print(event);
  const { stopReason } = await stream.result();
  printer.endLine();
  if (stopReason !== "finished") printer.note(`ended: ${stopReason}`);
} catch (error) {
  printer.line(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

/** Tells the parent that the tool is running, and never returns. */
async function waitForTheKill(): Promise<void> {
  process.send?.("booking the train");
  await new Promise<never>(() => {});
}
