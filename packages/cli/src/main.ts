#!/usr/bin/env node
import { runPollux } from "./run-pollux.ts";

// Before a command is loaded, which an older Node could not do.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `pollux needs Node 20.19 or later, and this is Node ${process.versions.node}.\nInstall a current version from https://nodejs.org\n`,
  );
  process.exit(1);
}

// The reader of the output, such as `head`, may close it early.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

const args = process.argv.slice(2);
process.exitCode = await runPollux(args, process);
// Suites and agents are other people's code: a server or a pool that they have opened would keep the process running.
if (args[0] === "eval" || args[0] === "studio") process.stdout.write("", () => process.exit());
