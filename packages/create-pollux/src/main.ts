#!/usr/bin/env node

// Before anything is loaded, which an older Node could not do.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `create-pollux needs Node 22.18 or later, which runs TypeScript, and this is Node ${process.versions.node}.\nInstall a current version from https://nodejs.org\n`,
  );
  process.exit(1);
}

// The reader of the output, such as `head`, may close it early.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

const { createPollux } = await import("./create-pollux.ts");
const { thisProcess } = await import("./terminal.ts");
process.exitCode = await createPollux(process.argv.slice(2), thisProcess());
