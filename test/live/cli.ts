import { runCli } from "./run-cli.ts";

// node --conditions=pollux-source test/live/cli.ts --help
// As often as it comes: package managers hand it on, too.
const stop = new AbortController();
process.on("SIGINT", () => stop.abort());
process.exitCode = await runCli(
  process.argv.slice(2),
  process.env,
  { print: console.log, tell: console.error },
  stop.signal,
);
// What was being asked is not waited for.
if (stop.signal.aborted) process.exit();
