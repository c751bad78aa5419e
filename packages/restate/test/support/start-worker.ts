import type { Agent } from "@pollux/core";
import { type AgentsWorker, register, serveAgents, type ServeAgentsOptions } from "@pollux/restate";
import type { RestateServer } from "./restate-server.ts";

/** A worker in this process, made known to a server. */
export async function startWorker(
  server: RestateServer,
  agents: readonly Agent[],
  { port = 0, ...options }: Omit<ServeAgentsOptions, "agents" | "ingress"> & { readonly port?: number } = {},
): Promise<AgentsWorker & { readonly url: string }> {
  const worker = serveAgents({ ...options, agents, ingress: server.ingress });
  const { url } = await worker.listen({ port });
  await register({ admin: server.admin, uri: url });
  return { ...worker, url };
}
