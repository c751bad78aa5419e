#!/usr/bin/env node
import { runSessionCli } from "./run-session-cli.ts";

// Whoever reads, such as `head`, may have had enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

process.exitCode = await runSessionCli(process.argv.slice(2), process);
