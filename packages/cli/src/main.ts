#!/usr/bin/env node
import { runPollux } from "./run-pollux.ts";

// Whoever reads, such as `head`, may have had enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

process.exitCode = await runPollux(process.argv.slice(2), process);
