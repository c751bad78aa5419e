import { hostname } from "node:os";
import { DBOS, type DBOSConfig, Error as DbosErrors } from "@dbos-inc/dbos-sdk";
import { type Agent, ConfigurationError, type Json, type Logger } from "@pollux/core";
import { EngineError } from "@pollux/core/durable";
import { type AgentsClient, checkAgent, createClient, type Start } from "./agents-client.ts";
import { agentWorkflow, type WorkflowHost } from "./agent-workflow.ts";
import { databaseError } from "./database-error.ts";
import { connect } from "./connection.ts";
import { createTables, type Database, type DatabaseOptions, openDatabase } from "./database.ts";
import { type WatchOptions, watchExecutors } from "./executors.ts";
import { launchDbos } from "./launch-dbos.ts";
import type { LiveOptions } from "./live-run.ts";
import type { AgentWorkflow } from "./external-ops.ts";
import { QUEUE, WORKFLOW_CLASS } from "./protocol.ts";

/** How agents are served. */
export interface ServeAgentsOptions extends Omit<DatabaseOptions, "pool"> {
  /** Their names are what runs are started by, and must differ. */
  readonly agents: readonly Agent[];
  /**
   * Name of this worker, different from that of every other worker on the database. One that is the same after a restart takes its
   * own runs up again at once; a new one leaves them to be taken over.
   * @defaultValue the host's name and a random part
   */
  readonly executorId?: string | undefined;
  /** A run is only gone on with by a worker of the version it was begun with. @defaultValue "1" */
  readonly applicationVersion?: string | undefined;
  /** Name of the application in DBOS's tables. @defaultValue "pollux" */
  readonly applicationName?: string | undefined;
  /** Heartbeats, and taking over the runs of dead workers. @defaultValue on */
  readonly watch?: WatchOptions | false | undefined;
  /** Live events for readers in other processes. @defaultValue on */
  readonly events?: LiveOptions | false | undefined;
  /** Milliseconds between looks into the queue for runs that were started elsewhere. @defaultValue 200 */
  readonly queuePollMs?: number | undefined;
  /** Milliseconds between a waiting run's looks for a cancellation (and for an answer, where the database has no LISTEN). @defaultValue 1_000 */
  readonly pollMs?: number | undefined;
  /** Anything else of DBOS's own configuration; laid over what is made from these options. */
  readonly dbos?: Partial<DBOSConfig> | undefined;
  /** Told when runs are taken over, and when no heartbeat can be written. @defaultValue silent; DBOS itself writes warnings to the console */
  readonly logger?: Logger | undefined;
}

/** A worker: agents that are served, and a client in the same process. */
export interface AgentsWorker {
  readonly executorId: string;
  /** Starts runs in this very process, without the queue's delay; for the rest like any client. Closed with the worker. */
  readonly client: AgentsClient;
  /** Stops. What was going on here is taken up by another worker, or by the next one. */
  close(): Promise<void>;
}

/**
 * Registers agents as DBOS workflows, launches DBOS, and serves runs until it is closed: DBOS keeps each run and brings it to its
 * end. Once per process, as DBOS itself; other workflows of yours are to be registered before.
 *
 * @throws {EngineError} When the database does not answer or refuses.
 * @throws {ConfigurationError} When there is no agent, two have one name, or DBOS was launched already.
 */
export async function serveAgents(options: ServeAgentsOptions): Promise<AgentsWorker> {
  const { agents, events: live = {}, pollMs = 1_000 } = options;
  check(agents);
  const database = openDatabase({ databaseUrl: options.databaseUrl, schema: options.schema });
  try {
    // A database that is not there yet has no runs to go on with either; the launch creates it.
    if (await exists(database)) await createTables(database);
    const workflows = new Map<string, AgentWorkflow>();
    const host: WorkflowHost = { database, agents: workflows, live, pollMs, running: new Set(), closing: false };
    for (const agent of agents) {
      const name = { name: agent.name, className: WORKFLOW_CLASS };
      workflows.set(agent.name, DBOS.registerWorkflow(agentWorkflow(agent, host), name));
    }
    return await launch(options, host);
  } catch (error) {
    await database.close();
    throw databaseError(error, database.url);
  }
}

async function launch(options: ServeAgentsOptions, host: WorkflowHost): Promise<AgentsWorker> {
  const { database, agents } = host;
  const { watch = {}, logger = SILENT, applicationVersion = "1", queuePollMs = 200 } = options;
  const executorId = options.executorId ?? `${hostname()}-${crypto.randomUUID().slice(0, 8)}`;
  const executor = { executorId, applicationVersion, agents: [...agents.keys()] };
  DBOS.setConfig({
    name: options.applicationName ?? "pollux",
    ...(database.url !== undefined && { systemDatabaseUrl: database.url }),
    systemDatabaseSchemaName: database.schema,
    executorID: executorId,
    applicationVersion,
    logLevel: "warn",
    ...options.dbos,
  });
  let stopWatching: (() => Promise<void>) | undefined;
  const connection = connect(database, {});
  const shutdown = async (): Promise<void> => {
    host.closing = true;
    for (const run of host.running) run.abort(new DOMException("the worker is being closed", "AbortError"));
    await connection.close();
    await DBOS.shutdown({ deregister: true });
    await stopWatching?.();
    await database.close();
  };
  try {
    await launchDbos(database);
    await createTables(database);
    // Before it takes runs: nobody would miss a worker that never had a heartbeat.
    stopWatching = watch === false ? undefined : await watchExecutors(database, executor, watch, logger);
    await DBOS.registerQueue(QUEUE, { minPollingIntervalMs: queuePollMs, onConflict: "always_update" });
  } catch (error) {
    await shutdown();
    throw error;
  }
  return { executorId, client: createClient(connection, startHere(host), () => connection.close()), close: shutdown };
}

function startHere(host: WorkflowHost): Start {
  return async (agent, { runId, ...run }) => {
    const workflow = host.agents.get(agent);
    if (host.closing) throw new EngineError("not-launched", "this worker was closed");
    if (workflow === undefined) {
      const known = [...host.agents.keys()].join(", ");
      throw new EngineError("agent-unknown", `no agent "${agent}" is served by this worker; there is ${known}`);
    }
    try {
      // JSON by contract.
      await DBOS.startWorkflow(workflow, { workflowID: runId })(run as unknown as Json);
    } catch (error) {
      if (error instanceof DbosErrors.DBOSConflictingWorkflowError)
        checkAgent(runId, (await DBOS.getWorkflowStatus(runId))?.workflowName, agent);
      throw error;
    }
  };
}

async function exists(database: Database): Promise<boolean> {
  try {
    await database.query("SELECT 1");
    return true;
  } catch (error) {
    const cause: unknown = error instanceof Error ? error.cause : undefined;
    if (cause instanceof Error && "code" in cause && cause.code === "3D000") return false;
    throw error;
  }
}

function check(agents: readonly Agent[]): void {
  if (DBOS.isInitialized())
    throw new ConfigurationError("DBOS is launched already: serveAgents registers and launches, once per process");
  if (agents.length === 0) throw new ConfigurationError("agents: there is none to serve");
  const names = new Set<string>();
  for (const { name } of agents) {
    if (names.has(name))
      throw new ConfigurationError(`agents: two of them are named "${name}": give each a \`name\` of its own`);
    names.add(name);
  }
}

const SILENT: Pick<Logger, "info" | "warn"> = { info: () => {}, warn: () => {} };
