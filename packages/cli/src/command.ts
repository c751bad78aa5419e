import { parseArgs, type ParseArgsOptionsConfig } from "node:util";

/** The parts of a process that commands use. */
export interface CliProcess {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean | undefined };
  readonly stdout: NodeJS.WritableStream & {
    readonly isTTY?: boolean | undefined;
    readonly columns?: number | undefined;
  };
  readonly stderr: { write(text: string): unknown };
  readonly env: Readonly<Record<string, string | undefined>>;
  once(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  off(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
}

/** One command of the program. */
export interface Command {
  /** What `pollux NAME --help` prints. */
  readonly help: string;
  /**
   * Runs it, and returns the exit code.
   *
   * @throws {UsageError} For invalid arguments: exit code 2. Anything else thrown is a failure: exit code 1.
   */
  run(args: readonly string[], terminal: CliProcess): Promise<number>;
}

/** An invalid command line; the message says why. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Node's `parseArgs`, with positionals. @throws {UsageError} For an unknown option, or one that lacks its value. */
export function parseOptions<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
): ReturnType<typeof parseArgs<{ args: string[]; allowPositionals: true; options: Options }>> {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    // Node continues with how to pass an argument that begins with a hyphen, which no command here takes.
    const [reason = ""] = errorMessage(error).split(/\.? To specify a positional argument/, 1);
    throw new UsageError(reason, { cause: error });
  }
}

/** The message of an error. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
