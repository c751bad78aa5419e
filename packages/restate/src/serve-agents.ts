import {
  createServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { type Agent, ConfigurationError, type Logger } from "@pollux/core";
import type { EngineContext, ServedAgent, WorkerContext } from "@pollux/engine";
import { createEndpointHandler, type EndpointOptions, type WorkflowDefinition } from "@restatedev/restate-sdk";
import { type AgentHandlers, agentWorkflow } from "./agent-workflow.ts";
import { type LiveEventsOptions, LiveFeeds } from "./live-feeds.ts";
import { openFeed } from "./open-feed.ts";
import { workerLog } from "./worker-log.ts";

/** Options of {@link serveAgents}. */
export interface ServeAgentsOptions<Context = unknown> extends Pick<EndpointOptions, "identityKeys"> {
  /** Each is served as a workflow with its name. Agents used as tools by others run as children if they are listed too. */
  readonly agents: readonly ServedAgent<Context>[];
  /**
   * Makes the context of a run from what started it, in the worker that has the run: an engine stores only JSON. Called each time
   * that a run is started or continued. What it throws fails the run. @defaultValue none; required when an agent needs a context
   */
  readonly context?: EngineContext<Context> | undefined;
  /** URL of Restate's ingress; the worker announces its live events there. @defaultValue "http://127.0.0.1:8080" */
  readonly ingress?: string | undefined;
  /** Sent with those requests, for example `authorization`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Where readers get live events; `false` serves none. @defaultValue any free port on 127.0.0.1 */
  readonly events?: LiveEventsOptions | false | undefined;
  /** Milliseconds after which a run that only waits leaves the worker. @defaultValue 60_000 */
  readonly inactivityTimeoutMs?: number | undefined;
  /**
   * Must exceed the longest step (a model response, a tool call), in milliseconds: Restate interrupts a longer one and reruns it.
   *
   * @defaultValue 86_400_000, a day
   */
  readonly abortTimeoutMs?: number | undefined;
  /** How long the report and state of a finished run are kept, in milliseconds. @defaultValue 86_400_000, a day */
  readonly retentionMs?: number | undefined;
  /** Receives the logs of Restate's SDK. @defaultValue none */
  readonly logger?: Logger | undefined;
}

/** A worker: agents that Restate can run here. */
export interface AgentsWorker {
  /** The workflows, for your own endpoint. */
  readonly services: readonly WorkflowDefinition<string, AgentHandlers>[];
  /** Handles Restate's requests: pass it to `http2.createServer`. */
  readonly handler: (request: Http2ServerRequest, response: Http2ServerResponse) => void;
  /** Listens, by default on loopback and port 9080, and returns the URL to register. */
  listen(at?: {
    readonly host?: string | undefined;
    readonly port?: number | undefined;
  }): Promise<{ readonly url: string; readonly port: number }>;
  /** Stops the worker. Another worker, or the next one, continues its runs. */
  close(): Promise<void>;
}

const DAY_MS = 86_400_000;
const SERVICE_NAME = /^(?:[a-zA-Z]|_[a-zA-Z0-9])[\w.-]*$/;

/**
 * Creates a worker for agents: Restate stores each of their runs and sees it through to its end, even if processes crash.
 *
 * @throws {ConfigurationError} For a name that can't be a service name, two agents with the same name, or a Node below 22.
 */
export function serveAgents<Context = unknown>(
  options: ServeAgentsOptions<Context> & WorkerContext<Context>,
): AgentsWorker {
  // Only an agent has all that a served agent has. Its context is made by `context`, where both are typed.
  const agents = options.agents as readonly Agent[];
  const { ingress = "http://127.0.0.1:8080", headers, identityKeys, logger } = options;
  check(agents);
  const feeds = options.events === false ? undefined : new LiveFeeds(options.events);
  const workflowOptions = {
    agents: new Map(agents.map((agent) => [agent.name, agent])),
    inactivityTimeoutMs: options.inactivityTimeoutMs ?? 60_000,
    abortTimeoutMs: options.abortTimeoutMs ?? DAY_MS,
    retentionMs: options.retentionMs ?? DAY_MS,
    context: options.context,
    openFeed: openFeed(feeds, { ingress, headers, logger }),
  };
  const services = agents.map((agent) => agentWorkflow(agent, workflowOptions));
  const handler = createEndpointHandler({
    services,
    ...(identityKeys !== undefined && { identityKeys }),
    logger: workerLog(logger),
  });
  const servers = new Map<Http2Server, Set<ServerHttp2Session>>();

  return {
    services,
    handler,
    listen: async ({ host = "127.0.0.1", port = 9080 } = {}) => {
      const server = createServer(handler);
      const sessions = new Set<ServerHttp2Session>();
      server.on("session", (session) => {
        sessions.add(session);
        session.once("close", () => sessions.delete(session));
      });
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, host, resolve);
      });
      servers.set(server, sessions);
      const { address, port: bound } = server.address() as AddressInfo;
      return { url: `http://${address.includes(":") ? `[${address}]` : address}:${bound}`, port: bound };
    },
    close: async () => {
      for (const [server, sessions] of servers) {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        for (const session of sessions) session.destroy();
        await closed;
      }
      servers.clear();
      await feeds?.close();
    },
  };
}

function check(agents: readonly Agent[]): void {
  if (!("withResolvers" in Promise))
    throw new ConfigurationError(`Restate's SDK needs Node 22 or newer for workers; this is ${process.version}.`);
  if (agents.length === 0) throw new ConfigurationError("agents: must not be empty");
  const names = new Set<string>();
  for (const { name } of agents) {
    if (!SERVICE_NAME.test(name))
      throw new ConfigurationError(
        `agents: "${name}" cannot be the name of a Restate service: give the agent a name of letters, digits, "_", "-" and "."`,
      );
    if (names.has(name))
      throw new ConfigurationError(`agents: two of them are named "${name}": give each its own \`name\``);
    names.add(name);
  }
}
