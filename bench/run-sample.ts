import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** A driver reports that it can't take part, for example because a part of the library isn't built. */
export class UnavailableError extends Error {}

/**
 * Runs a sample program in a fresh process and returns the object it printed.
 *
 * @param file - Absolute path of the program.
 * @param argument - Its only argument.
 * @param flags - For Node.
 * @throws {UnavailableError} If the driver can't take part.
 * @throws {Error} If the process failed, with the first informative line of its output.
 */
export async function runSample<Sample extends object = Readonly<Record<string, number>>>(
  file: string,
  argument: string,
  flags: readonly string[] = [],
): Promise<Sample> {
  // Export conditions for sources and caches of compiled code must not affect the measurement.
  const { NODE_OPTIONS: _options, NODE_COMPILE_CACHE: _cache, ...env } = process.env;
  let output: string;
  try {
    const { stdout } = await execute(process.execPath, ["--expose-gc", "--no-warnings", ...flags, file, argument], {
      env,
      timeout: 300_000,
      killSignal: "SIGKILL",
      maxBuffer: 64 * 2 ** 20,
    });
    output = stdout;
  } catch (error) {
    throw new Error(reasonOf(error as ExecError), { cause: error });
  }
  const line = output.split("\n").findLast((text) => text.startsWith("sample: "));
  if (line === undefined) throw new Error("The sample printed nothing.");
  const sample = JSON.parse(line.slice("sample: ".length)) as Sample & { readonly unavailable?: string };
  if (sample.unavailable !== undefined) throw new UnavailableError(sample.unavailable);
  return sample;
}

interface ExecError {
  readonly message: string;
  readonly killed?: boolean;
  readonly stderr?: string;
}

function reasonOf({ message, killed, stderr = "" }: ExecError): string {
  if (killed === true) return "It did not end within 300 s.";
  const lines = stderr.split("\n").map((line) => line.trim());
  return (lines.find((line) => /^(\w*Error|Error)\b/.test(line)) ?? lines.find((line) => line !== "") ?? message).slice(
    0,
    200,
  );
}
