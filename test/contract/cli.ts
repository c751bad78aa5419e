import { runCli } from "./run-cli.ts";

// node --conditions=pollux-source test/contract/cli.ts [folder] [--known FILE] [--check ID]
process.exitCode = await runCli(process.argv.slice(2), { print: console.log, tell: console.error });
