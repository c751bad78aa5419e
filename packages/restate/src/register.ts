import { EngineError } from "@pollux/core/durable";
import { serverWords } from "./client-error.ts";

/** Which worker is made known to which server. */
export interface RegisterOptions {
  /** Address of Restate's admin interface. @defaultValue "http://127.0.0.1:9070" */
  readonly admin?: string | undefined;
  /** Where Restate reaches the worker, or the workers behind one address. */
  readonly uri: string;
  /** Replaces what the server knows of this address, such as after an agent was added. Runs in flight see the new code. @defaultValue false */
  readonly force?: boolean | undefined;
}

/**
 * Makes a worker's address known to Restate, which asks it what it serves. Needed once for each address, not at each start.
 *
 * New code goes to an address of its own: runs in flight stay on the one they began on.
 *
 * @throws {EngineError} `server-unreachable` when no server answers, `server-refused` when it cannot reach the worker.
 */
export async function register({
  admin = "http://127.0.0.1:9070",
  uri,
  force = false,
}: RegisterOptions): Promise<void> {
  const at = admin.replace(/\/$/, "");
  let response: Response;
  try {
    response = await fetch(`${at}/deployments`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ uri, force }),
      signal: AbortSignal.timeout(30_000),
    });
  } catch (error) {
    const why = `no Restate server answers at ${at}: start one (npx restate-server), or give the address of its admin interface as \`admin\``;
    throw new EngineError("server-unreachable", why, { cause: error });
  }
  const { status } = response;
  const words = serverWords(await response.text());
  if (!response.ok)
    throw new EngineError("server-refused", `Restate did not register ${uri} (${status}): ${words}`, { status });
}
