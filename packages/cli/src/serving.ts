import type { RunningServer } from "@pollux/core/serving";
import { type CliProcess, UsageError } from "./command.ts";

/** Waits for Ctrl-C or SIGTERM. */
export async function untilStopped(terminal: CliProcess): Promise<void> {
  await new Promise<void>((stop) => {
    const end = (): void => {
      terminal.off("SIGINT", end);
      terminal.off("SIGTERM", end);
      stop();
    };
    terminal.once("SIGINT", end);
    terminal.once("SIGTERM", end);
  });
}

/** An option that is a whole number. @throws {UsageError} When it is not, or is below `min` or above `max`. */
export function parseNumber(flag: string, value: string, max: number, min = 0): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < min || number > max)
    throw new UsageError(`${flag} must be an integer from ${min} to ${max}, not "${value}"`);
  return number;
}

/** Starts a server. @throws Why it can't listen, with what to do. */
export async function startServer(
  listen: (where: { readonly port: number; readonly host: string }) => Promise<RunningServer>,
  { port, host }: { readonly port: number; readonly host: string },
): Promise<RunningServer> {
  try {
    return await listen({ port, host });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const problem = typeof code === "string" ? LISTEN_PROBLEMS[code]?.(port, host) : undefined;
    throw problem === undefined ? error : new Error(problem, { cause: error });
  }
}

const noAddress = (_port: number, host: string): string =>
  `${host} is not an address of this machine; use --host 127.0.0.1, or 0.0.0.0 for all of them`;

const LISTEN_PROBLEMS: Readonly<Record<string, ((port: number, host: string) => string) | undefined>> = {
  EADDRINUSE: (port) => `Port ${port} is in use; choose another with --port, or 0 for a free one`,
  EACCES: (port) => `Port ${port} is reserved for the administrator; choose one above 1023 with --port`,
  EADDRNOTAVAIL: noAddress,
  ENOTFOUND: noAddress,
};
