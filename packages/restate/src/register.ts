import { EngineError } from "@pollux/engine";
import { serverWords } from "./client-error.ts";

/** Options of {@link register}. */
export interface RegisterOptions {
  /** URL of Restate's admin interface. @defaultValue "http://127.0.0.1:9070" */
  readonly admin?: string | undefined;
  /** URL at which Restate reaches the worker, or the workers behind one address. */
  readonly uri: string;
  /** Replaces the existing registration of this URL, for example after an agent was added. Runs in flight see the new code. @defaultValue false */
  readonly force?: boolean | undefined;
}

/**
 * Registers a worker's URL with Restate, which asks the worker what it serves. Needed once per URL, not on every start.
 *
 * Give new code a new URL: runs in flight stay on the one they started on.
 *
 * @throws {EngineError} `server-unreachable` if no server answers, `server-refused` if it can't reach the worker.
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
    const why = `no Restate server answers at ${at}: start one (npx restate-server), or pass the URL of its admin interface as \`admin\``;
    throw new EngineError("server-unreachable", why, { cause: error });
  }
  const { status } = response;
  const words = serverWords(await response.text());
  if (!response.ok)
    throw new EngineError("server-refused", `Restate did not register ${uri} (${status}): ${words}`, { status });
}
