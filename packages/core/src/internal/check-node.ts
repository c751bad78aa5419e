import { ConfigurationError } from "../errors/agent-error.ts";

/** Major and minor version. */
const OLDEST = [20, 19] as const;

/**
 * Rejects a Node that lacks what the library uses; other runtimes pass.
 *
 * @throws {ConfigurationError} With the version that is needed.
 */
export function checkNode(): void {
  const host: {
    readonly process?:
      | {
          readonly release?: { readonly name?: string | undefined } | undefined;
          readonly versions?: { readonly [name: string]: string | undefined } | undefined;
        }
      | undefined;
  } = globalThis;
  const { release, versions } = host.process ?? {};
  if (release?.name !== "node" || versions?.["bun"] !== undefined || versions?.["deno"] !== undefined) return;
  const { node = "" } = versions ?? {};
  const [major = 0, minor = 0] = node.split(".").map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw new ConfigurationError(
    `Pollux needs Node ${OLDEST.join(".")} or later, and this is Node ${node}: install a current version from https://nodejs.org.`,
  );
}
