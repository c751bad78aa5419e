import type { Ingress, IngressWorkflowClient, Workflow } from "@restatedev/restate-sdk-clients";
import type { AgentHandlers } from "./agent-workflow.ts";
import { clientError, EngineError } from "./engine-error.ts";

/** How a client reaches its runs. */
export interface Connection {
  readonly ingress: Ingress;
  readonly url: string;
  readonly retryForMs: number;
}

/** The handlers of one run, as requests. */
export type RunClient = IngressWorkflowClient<Workflow<AgentHandlers>>;

/** How long after its registration an agent may still be unknown to the ingress, in milliseconds. */
const SPREAD_MS = 1_000;

/** Makes a request about a run. @throws {EngineError} */
export async function askOf<T>(
  { ingress, url, retryForMs }: Connection,
  agent: string,
  runId: string,
  request: (workflow: RunClient) => PromiseLike<T>,
): Promise<T> {
  const patience = Date.now() + Math.min(SPREAD_MS, retryForMs);
  for (;;) {
    try {
      return await request(ingress.workflowClient<AgentHandlers>({ name: agent }, runId));
    } catch (error) {
      const known = clientError(error, url, agent, runId);
      if (!(known instanceof EngineError) || known.code !== "agent-unknown" || Date.now() >= patience) throw known;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
