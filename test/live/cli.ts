import { runCli } from "./run-cli.ts";

// node --conditions=pollux-source test/live/cli.ts --help
// Every one of them, since package managers pass it on, too.
const stop = new AbortController();
process.on("SIGINT", () => stop.abort());
process.exitCode = await runCli(
  process.argv.slice(2),
  process.env,
  { print: console.log, tell: console.error },
  stop.signal,
);
// Does not wait for requests in progress.
if (stop.signal.aborted) process.exit();
