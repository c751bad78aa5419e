import { EngineError } from "@pollux/engine";
import type { Ingress, IngressWorkflowClient, Workflow } from "@restatedev/restate-sdk-clients";
import type { AgentHandlers } from "./agent-workflow.ts";
import { clientError } from "./client-error.ts";

/** A client's connection. */
export interface Connection {
  readonly ingress: Ingress;
  readonly url: string;
  readonly retryForMs: number;
  readonly replyWithinMs: number;
}

/** The handlers of one run, as requests. */
export type RunClient = IngressWorkflowClient<Workflow<AgentHandlers>>;

/** How long after its registration an agent may still be unknown to the ingress, in milliseconds. */
const SPREAD_MS = 1_000;
const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 1_000;

/**
 * Sends a request about a run and retries while the server is away: all requests may be repeated. The time counts from when the
 * server went away, since some requests have waited for hours by then.
 *
 * @throws {EngineError}
 */
export async function sendRequest<T>(
  { ingress, url, retryForMs }: Connection,
  agent: string,
  runId: string,
  request: (workflow: RunClient, ingress: Ingress) => PromiseLike<T>,
): Promise<T> {
  const patience = Date.now() + Math.min(SPREAD_MS, retryForMs);
  let awaySince: number | undefined;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    try {
      return await request(ingress.workflowClient<AgentHandlers>({ name: agent }, runId), ingress);
    } catch (error) {
      const known = clientError(error, url, agent, runId);
      if (!(known instanceof EngineError)) throw known;
      const now = Date.now();
      if (known.code === "agent-unknown") {
        if (now >= patience) throw known;
        waitMs = FIRST_WAIT_MS;
      } else {
        if (!isAway(known)) throw known;
        if (awaySince === undefined || brokeOff(error)) {
          awaySince = now;
          waitMs = FIRST_WAIT_MS;
        }
        if (now - awaySince >= retryForMs) throw known;
      }
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}

/** Also true while it starts. */
function isAway({ code, status }: EngineError): boolean {
  return code === "server-unreachable" || status === 503;
}

/** True if the server had accepted the request. */
function brokeOff(error: unknown): boolean {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && (cause.code === "UND_ERR_SOCKET" || cause.code === "ECONNRESET");
}
