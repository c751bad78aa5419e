import { readFile } from "node:fs/promises";
import { loadOptional } from "@pollux/core/tool";
import { type CliProcess, type Command, errorMessage, UsageError } from "./command.ts";
import { optionalPackages } from "./optional-packages.ts";
import { inOneLine } from "./terminal-text.ts";

interface CommandEntry {
  readonly name: string;
  /** Its line in the list of `pollux --help`. */
  readonly summary: string;
  /** Packages that it needs beside the program. @defaultValue nothing */
  readonly packages?: readonly string[] | undefined;
  /** Only the requested command is loaded. */
  readonly load: () => Promise<Command>;
}

const COMMANDS: readonly CommandEntry[] = [
  {
    name: "chat",
    summary: "talk to a Gemini agent in the terminal",
    load: async () => (await import("./chat.ts")).chatCommand,
  },
  {
    name: "map",
    summary: "ask a model once for each line of a file",
    load: async () => (await import("./map.ts")).mapCommand,
  },
  {
    name: "eval",
    summary: "try an agent's cases, and say whether it got worse",
    packages: ["@pollux/evals"],
    load: async () => (await import("./eval.ts")).evalCommand,
  },
  {
    name: "eval add",
    summary: "make a case of a stored session",
    packages: ["@pollux/evals", "@pollux/inspector"],
    load: async () => (await import("./eval-add.ts")).evalAddCommand,
  },
  {
    name: "session",
    summary: "show, check, repair or erase stored sessions",
    load: async () => (await import("./session.ts")).sessionCommand,
  },
  {
    name: "inspect",
    summary: "show sessions down to the bytes, in the browser",
    packages: ["@pollux/inspector"],
    load: async () => (await import("./inspect.ts")).inspectCommand,
  },
  {
    name: "studio",
    summary: "play with agents in the browser",
    packages: ["@pollux/inspector"],
    load: async () => (await import("./studio.ts")).studioCommand,
  },
  {
    name: "emulator",
    summary: "run a local stand-in for the Gemini API",
    load: async () => (await import("./emulator.ts")).emulatorCommand,
  },
];

const HELP = `Usage: pollux COMMAND [options]

Tool-using agents on the Gemini API.

Commands:
${COMMANDS.map(({ name, summary }) => `  ${name.padEnd(10)}${summary}`).join("\n")}

  -h, --help      show this help; for one command: pollux COMMAND --help
  -v, --version   print the version

Exit codes: 0 success, 1 failure, 2 invalid command line.
`;

/** Longest error message, in characters. */
const MESSAGE_LENGTH = 2000;

/** Runs the program; returns the exit code: 0, 1 for a failure, 2 for an invalid command line. */
export async function runPollux(args: readonly string[], terminal: CliProcess): Promise<number> {
  const [first, ...rest] = args;
  if (first === undefined) {
    terminal.stderr.write(HELP);
    return 2;
  }
  if (first === "--help" || first === "-h" || (first === "help" && rest.length === 0)) {
    terminal.stdout.write(HELP);
    return 0;
  }
  if (first === "--version" || first === "-v") {
    terminal.stdout.write(`${await readVersion()}\n`);
    return 0;
  }
  if (first === "help") return await runPollux([...rest, "--help"], terminal);
  const longer = COMMANDS.find(({ name }) => name === `${first} ${rest[0]}`);
  const entry = longer ?? COMMANDS.find(({ name }) => name === first);
  if (entry === undefined) {
    const kind = first.startsWith("-") ? "option" : "command";
    terminal.stderr.write(`pollux: unknown ${kind} "${inOneLine(first, 100)}"\nTry pollux --help\n`);
    return 2;
  }
  try {
    const command = await loadOptional(optionalPackages(entry.name, entry.packages ?? []), entry.load);
    const given = longer === undefined ? rest : rest.slice(1);
    if (asksForHelp(given)) {
      terminal.stdout.write(command.help);
      return 0;
    }
    return await command.run(given, terminal);
  } catch (error) {
    terminal.stderr.write(`pollux ${entry.name}: ${inOneLine(errorMessage(error), MESSAGE_LENGTH)}\n`);
    if (!(error instanceof UsageError)) return 1;
    terminal.stderr.write(`Try pollux ${entry.name} --help\n`);
    return 2;
  }
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end === -1 ? undefined : end).some((arg) => arg === "--help" || arg === "-h");
}

async function readVersion(): Promise<string> {
  // The package's own manifest.
  const manifest = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8")) as {
    readonly version: string;
  };
  return manifest.version;
}
