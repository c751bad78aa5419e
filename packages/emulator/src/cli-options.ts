import { parseArgs } from "node:util";
import type { Profile } from "./validate/types.ts";

const PROFILES: readonly Profile[] = ["developer", "developer-v1", "vertex", "comet", "old-proxy"];

/** What the command line asks for. */
export interface CliOptions {
  readonly port: number;
  readonly host: string;
  readonly profile: Profile;
  readonly brain: { readonly kind: "improvise" } | { readonly kind: "script" | "replay"; readonly file: string };
  readonly delayMs: number;
  readonly quiet: boolean;
}

/** The text of `--help`. */
export const HELP: string = `Usage: pollux-emulator [options]

A strict local stand-in for the Gemini API.

  --port <number>       port to serve on (default 8787; 0 takes a free one)
  --host <address>      address to serve on (default 127.0.0.1: this machine only)
  --profile <name>      ${PROFILES.join(", ")} (default developer)
  --brain improvise     makes answers up from the request (default)
  --brain script <file> says the lines of a module: export default [text("Hi"), ...], or a JSON list of texts
  --replay <path>       answers with recorded traffic from a file or folder; the same as --brain replay <path>
  --delay <ms>          milliseconds before the first byte and between chunks (default 0)
  --quiet               no line per request
  --help, --version
`;

/** A command line that cannot be followed; the message says why. */
export class UsageError extends Error {
  override name = "UsageError";
}

/**
 * Reads the command line.
 *
 * @throws UsageError for anything it does not know.
 */
export function parseCli(args: readonly string[]): CliOptions | "help" | "version" {
  const { values, positionals } = parseFlags(args);
  if (values.help === true) return "help";
  if (values.version === true) return "version";
  const profile = PROFILES.find((name) => name === values.profile);
  if (profile === undefined)
    throw new UsageError(`--profile must be one of ${PROFILES.join(", ")}, not "${values.profile}"`);
  return {
    port: wholeNumber("--port", values.port, 65_535),
    host: values.host,
    profile,
    brain: brainOf(values.brain, values.replay, positionals),
    delayMs: wholeNumber("--delay", values.delay, 3_600_000),
    quiet: values.quiet === true,
  };
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        port: { type: "string", default: "8787" },
        host: { type: "string", default: "127.0.0.1" },
        profile: { type: "string", default: "developer" },
        brain: { type: "string" },
        replay: { type: "string" },
        delay: { type: "string", default: "0" },
        quiet: { type: "boolean" },
        help: { type: "boolean", short: "h" },
        version: { type: "boolean", short: "v" },
      },
    });
  } catch (error) {
    // parseArgs throws only for a flag it does not know or that lacks its value.
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function wholeNumber(flag: string, value: string, max: number): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number > max)
    throw new UsageError(`${flag} must be a whole number from 0 to ${max}, not "${value}"`);
  return number;
}

function brainOf(
  named: string | undefined,
  replayed: string | undefined,
  positionals: readonly string[],
): CliOptions["brain"] {
  if (replayed !== undefined && named !== undefined)
    throw new UsageError("--replay says who answers, so --brain cannot be given with it");
  if (replayed === "") throw new UsageError("--replay needs a file or a folder: --replay <path>");
  const kind = replayed === undefined ? (named ?? "improvise") : "replay";
  if (kind !== "improvise" && kind !== "script" && kind !== "replay") {
    throw new UsageError(`--brain must be improvise, script or replay, not "${kind}"`);
  }
  const [file, ...more] = replayed === undefined ? positionals : [replayed, ...positionals];
  const extra = kind === "improvise" ? file : more[0];
  if (extra !== undefined) throw new UsageError(`Unexpected argument "${extra}"`);
  if (kind === "improvise") return { kind };
  if (file === undefined) throw new UsageError(`--brain ${kind} needs a file: --brain ${kind} <file>`);
  return { kind, file };
}
