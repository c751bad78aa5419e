import { parseArgs } from "node:util";

/** What the command line asks for. */
export interface SessionCliOptions {
  readonly command: "check" | "repair" | "show";
  readonly file: string;
  /** Which session of an SQLite file; absent for all. */
  readonly session: string | undefined;
  readonly inPlace: boolean;
  readonly thoughts: boolean;
  readonly json: boolean;
  readonly width: number | undefined;
}

/** The text of `--help`. */
export const HELP: string = `Usage: pollux-session check FILE [--session ID]
       pollux-session repair FILE [--session ID] [--in-place]
       pollux-session show FILE [--session ID] [--thoughts] [--json] [--width COLUMNS]

Looks after the sessions of a JsonlStore (FILE is <id>.jsonl) or of a SqliteStore.

check     says what is wrong with a session, line by line, and what a repair would make of it
repair    writes FILE.repaired, which opens and whose history can be sent, and says what is lost
show      prints the conversation

  --session ID      one session of an SQLite file; without it check and repair take all, and show lists them
  --in-place        repair FILE itself; what was there before is kept as FILE.bak
  --thoughts        also the model's summaries of its thoughts
  --json            the history as JSON, as it goes over the wire
  --width COLUMNS   columns of a line (default: those of the terminal, or 100)
  --help, --version

Exit code: 0 when all is well, 1 when there are problems, or some that cannot be repaired, 2 for a command line or a
file that cannot be used.
`;

/** A command line, or a file it names, that cannot be used; the message says why. */
export class UsageError extends Error {
  override name = "UsageError";
}

const COMMANDS: readonly SessionCliOptions["command"][] = ["check", "repair", "show"];

/** Which command takes a flag. */
const ONLY: readonly (readonly [flag: "in-place" | "thoughts" | "json" | "width", command: string])[] = [
  ["in-place", "repair"],
  ["thoughts", "show"],
  ["json", "show"],
  ["width", "show"],
];

/**
 * Reads the command line.
 *
 * @throws {UsageError} For anything it does not know.
 */
export function parseSessionCli(args: readonly string[]): SessionCliOptions | "help" | "version" {
  const { values, positionals } = parseFlags(args);
  if (values.help === true) return "help";
  if (values.version === true) return "version";
  const [named, file, ...more] = positionals;
  const command = COMMANDS.find((one) => one === named);
  if (command === undefined)
    throw new UsageError(
      named === undefined
        ? "Say what to do: check, repair or show"
        : `Unknown command "${named}"; it is check, repair or show`,
    );
  if (file === undefined || file === "")
    throw new UsageError(`${command} needs a file: pollux-session ${command} FILE`);
  if (more[0] !== undefined) throw new UsageError(`Unexpected argument "${more[0]}"; one file at a time`);
  for (const [flag, only] of ONLY)
    if (values[flag] !== undefined && command !== only)
      throw new UsageError(`--${flag} is for ${only}, not for ${command}`);
  if (values.json === true && (values.thoughts ?? values.width) !== undefined)
    throw new UsageError("--json gives the whole history; --thoughts and --width do not go with it");
  return {
    command,
    file,
    session: values.session,
    inPlace: values["in-place"] === true,
    thoughts: values.thoughts === true,
    json: values.json === true,
    width: values.width === undefined ? undefined : columns(values.width),
  };
}

function columns(value: string): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= 30 && number <= 10_000) return number;
  throw new UsageError(`--width must be a whole number from 30 to 10000, not "${value}"`);
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        session: { type: "string" },
        "in-place": { type: "boolean" },
        thoughts: { type: "boolean" },
        json: { type: "boolean" },
        width: { type: "string" },
        help: { type: "boolean", short: "h" },
        version: { type: "boolean", short: "v" },
      },
    });
  } catch (error) {
    // parseArgs throws only for a flag it does not know or that lacks its value.
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
