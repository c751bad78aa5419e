import { ConfigurationError } from "../errors/agent-error.ts";

/** Environment variables by name. */
export type Environment = { readonly [name: string]: string | undefined };

/** Node's `process`, where there is one. */
interface Host {
  readonly env?: Environment | undefined;
  readonly release?: { readonly name?: string | undefined } | undefined;
  readonly versions?: Environment | undefined;
}

function hostProcess(): Host {
  return (globalThis as { readonly process?: Host | undefined }).process ?? {};
}

/** The process's environment at the time of the call; empty where there is no process (browsers, some edge runtimes). */
export function processEnvironment(): Environment {
  return hostProcess().env ?? {};
}

/** Major and minor version. */
const OLDEST = [20, 19] as const;

/** Rejects a Node that lacks features the library uses; other runtimes pass. @throws {ConfigurationError} With the required version. */
export function checkNode(): void {
  const { release, versions = {} } = hostProcess();
  if (release?.name !== "node" || versions["bun"] !== undefined || versions["deno"] !== undefined) return;
  const { node = "" } = versions;
  const [major = 0, minor = 0] = node.split(".").map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw new ConfigurationError(
    `Pollux needs Node ${OLDEST.join(".")} or later, and this is Node ${node}: install a current version from https://nodejs.org.`,
  );
}
