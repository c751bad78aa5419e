import { hostname } from "node:os";
import { DBOS, type DBOSConfig, Error as DbosErrors } from "@dbos-inc/dbos-sdk";
import { type Agent, ConfigurationError, type Json, type Logger } from "@pollux/core";
import { type EngineContext, EngineError, type ServedAgent, type WorkerContext } from "@pollux/engine";
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
import { deleteUnneeded } from "./run-records.ts";

/** Options of {@link serveAgents}. */
export interface ServeAgentsOptions<Context = unknown> extends Omit<DatabaseOptions, "pool"> {
  /** Runs are started by the agents' names, which must be unique. */
  readonly agents: readonly ServedAgent<Context>[];
  /**
   * Makes the context of a run from what started it, in the worker that has the run: an engine stores only JSON. Called each time
   * that a run is started or continued. What it throws fails the run. @defaultValue none; required when an agent needs a context
   */
  readonly context?: EngineContext<Context> | undefined;
  /**
   * Name of this worker, unique among all workers on the database. If it is the same after a restart, the worker resumes its own
   * runs immediately; with a new name, its old runs are taken over.
   * @defaultValue the host name and a random part
   */
  readonly executorId?: string | undefined;
  /** Only workers of the version that started a run continue it. @defaultValue "1" */
  readonly applicationVersion?: string | undefined;
  /** Name of the application in DBOS's tables. @defaultValue "pollux" */
  readonly applicationName?: string | undefined;
  /** Heartbeats, and takeover of dead workers' runs. @defaultValue on */
  readonly watch?: WatchOptions | false | undefined;
  /** Live events for readers in other processes. @defaultValue on */
  readonly events?: LiveOptions | false | undefined;
  /** Milliseconds between polls of the queue for runs started elsewhere. @defaultValue 200 */
  readonly queuePollMs?: number | undefined;
  /** Milliseconds between a waiting run's polls for cancellation (and for an answer, if the database has no LISTEN). @defaultValue 1_000 */
  readonly pollMs?: number | undefined;
  /** Any other DBOS configuration; takes precedence over what these options set. */
  readonly dbos?: Partial<DBOSConfig> | undefined;
  /** Receives a message when a run is taken over and when something can't be written. @defaultValue silent; DBOS itself logs warnings to the console */
  readonly logger?: Logger | undefined;
}

/** A worker: served agents, and a client in the same process. */
export interface AgentsWorker {
  readonly executorId: string;
  /** Starts runs in this process, without the queue's delay; otherwise like any client. Closed with the worker. */
  readonly client: AgentsClient;
  /** Stops the worker. Another worker, or the next one, continues its runs. */
  close(): Promise<void>;
}

/**
 * Registers agents as DBOS workflows, launches DBOS, and serves runs until closed: DBOS stores each run and sees it through to its
 * end. Can be called once per process, like DBOS itself; register your own workflows before.
 *
 * @throws {EngineError} If the database doesn't answer or refuses.
 * @throws {ConfigurationError} If there are no agents, two have the same name, or DBOS has already been launched.
 */
export async function serveAgents<Context = unknown>(
  options: ServeAgentsOptions<Context> & WorkerContext<Context>,
): Promise<AgentsWorker> {
  // Only an agent has all that a served agent has. Its context is made by `context`, where both are typed.
  const agents = options.agents as readonly Agent[];
  const { events: live = {}, pollMs = 1_000 } = options;
  check(agents);
  const database = openDatabase({ databaseUrl: options.databaseUrl, schema: options.schema });
  try {
    // If the database doesn't exist yet, it has no runs to continue either; the launch creates it.
    if (await exists(database)) await createTables(database);
    const workflows = new Map<string, AgentWorkflow>();
    const host: WorkflowHost = {
      database,
      agents: new Map(agents.map((agent) => [agent.name, agent])),
      workflows,
      context: options.context,
      live,
      pollMs,
      logger: options.logger ?? SILENT,
      running: new Set(),
      closing: false,
    };
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

async function launch<Context>(options: ServeAgentsOptions<Context>, host: WorkflowHost): Promise<AgentsWorker> {
  const { database, agents } = host;
  const { watch = {}, applicationVersion = "1", queuePollMs = 200 } = options;
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
    // What earlier workers left.
    await deleteUnneeded(database, host.logger);
    // Before it takes runs: no other worker would notice the death of one that never had a heartbeat.
    stopWatching = watch === false ? undefined : await watchExecutors(database, executor, watch, host.logger);
    await DBOS.registerQueue(QUEUE, { minPollingIntervalMs: queuePollMs, onConflict: "always_update" });
  } catch (error) {
    await shutdown();
    throw error;
  }
  return { executorId, client: createClient(connection, startHere(host), () => connection.close()), close: shutdown };
}

function startHere(host: WorkflowHost): Start {
  return async (agent, { runId, ...run }) => {
    const workflow = host.workflows.get(agent);
    if (host.closing) throw new EngineError("not-launched", "this worker was closed");
    if (workflow === undefined) {
      const known = [...host.workflows.keys()].join(", ");
      throw new EngineError("agent-unknown", `no agent "${agent}" is served by this worker; available: ${known}`);
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
    throw new ConfigurationError(
      "DBOS has already been launched: serveAgents() registers and launches, once per process",
    );
  if (agents.length === 0) throw new ConfigurationError("agents: must not be empty");
  const names = new Set<string>();
  for (const { name } of agents) {
    if (names.has(name))
      throw new ConfigurationError(`agents: two of them are named "${name}": give each its own \`name\``);
    names.add(name);
  }
}

const SILENT: Pick<Logger, "info" | "warn"> = { info: () => {}, warn: () => {} };
