#!/usr/bin/env node
import { runPollux } from "./run-pollux.ts";

// The reader of the output, such as `head`, may close it early.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

process.exitCode = await runPollux(process.argv.slice(2), process);
