import type { Agent } from "@pollux/core";
import { EngineError } from "@pollux/engine";
import { freePort } from "../../../../test/support/free-ports.ts";
import { agentsClient, type AgentsWorker, register, serveAgents, type ServeAgentsOptions } from "@pollux/restate";
import type { RestateServer } from "./restate-server.ts";

/** A worker in this process, known to a server. */
export async function startWorker(
  server: RestateServer,
  agents: readonly Agent[],
  { port, ...options }: Omit<ServeAgentsOptions, "agents" | "ingress"> & { readonly port?: number } = {},
): Promise<AgentsWorker & { readonly url: string }> {
  const worker = serveAgents({ ...options, agents, ingress: server.ingress });
  // Another worker may come back on it.
  const { url } = await worker.listen({ port: port ?? (await freePort()) });
  await register({ admin: server.admin, uri: url });
  await Promise.all(agents.map(({ name }) => known(server, name)));
  return { ...worker, url };
}

/** Resolves when the ingress has heard of an agent that was registered. */
async function known(server: RestateServer, agent: string): Promise<void> {
  for (;;) {
    try {
      await agentsClient({ ingress: server.ingress }).run(agent, "nobody").state();
      return;
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== "agent-unknown") throw error;
    }
  }
}
