import type { EngineInput, EngineRunInput } from "@pollux/core/durable";
import { EngineError } from "@pollux/engine";
import { DbosRun } from "./agent-run.ts";
import { type Connection, connect, type PollOptions } from "./connection.ts";
import { type Database, type DatabaseOptions, openDatabase } from "./database.ts";
import { QUEUE, WORKFLOW_CLASS } from "./protocol.ts";
import { findWorkflow } from "./run-state.ts";

/** Options of {@link agentsClient}. */
export interface AgentsClientOptions extends DatabaseOptions, PollOptions {}

/** Options for starting a run. */
export interface StartOptions extends Omit<EngineRunInput, "input" | "callers" | "path"> {
  /** The run's id. Starting a run with the same id again starts nothing and returns the same run. @defaultValue a random one */
  readonly runId?: string | undefined;
}

/** Starts runs of agents that workers serve, and looks them up later. */
export interface AgentsClient<Name extends string = string> {
  /**
   * Starts a run and resolves once the database has stored it.
   *
   * @throws {EngineError} `server-unreachable`, `server-refused`, `no-tables`, `id-taken` if another agent has a run with that id,
   * or `agent-unknown` if there are workers but none serves it.
   * @throws {TypeError} For an id that Postgres can't store: an empty one, or one with U+0000 or a lone surrogate.
   */
  start(agent: Name, input: EngineInput, options?: StartOptions): Promise<DbosRun>;
  /** A handle on an existing run, started here or elsewhere. Doesn't query the database. */
  run(agent: Name, runId: string): DbosRun;
  /** Closes the client's connections. Its runs continue. */
  close(): Promise<void>;
}

/**
 * A client for the agents that workers serve, over the shared database. Pass the agents' names as a type to have them checked.
 *
 * @example
 * ```ts
 * const client = agentsClient<"planner" | "critic">({ databaseUrl });
 * const run = await client.start("planner", "Two days in Oslo", { runId: "trip-7" });
 * const report = await run.result();
 * await client.close();
 * ```
 */
export function agentsClient<Name extends string = string>(options: AgentsClientOptions = {}): AgentsClient<Name> {
  const database = openDatabase(options);
  const connection = connect(database, options);
  const start: Start = async (agent, { runId, ...run }) => {
    const client = await connection.dbos();
    // DBOS would silently keep the existing run and only log it.
    const known = await findWorkflow(client, runId);
    if (known !== undefined) return checkAgent(runId, known.workflowName, agent);
    await checkServed(database, agent);
    const queued = { queueName: QUEUE, workflowName: agent, workflowClassName: WORKFLOW_CLASS, workflowID: runId };
    await client.enqueue(queued, run);
  };
  return createClient<Name>(connection, start, async () => {
    await connection.close();
    await database.close();
  });
}

/** Ids are unique in the database, not per agent. @throws {EngineError} `id-taken` */
export function checkAgent(runId: string, known: string | undefined, agent: string): void {
  if (known !== agent)
    throw new EngineError("id-taken", `run "${runId}" belongs to ${known}, not to ${agent}: use another id`);
}

/** Puts a run where a worker finds it, unless it already exists. */
export type Start = (agent: string, run: EngineRunInput & { readonly runId: string }) => Promise<void>;

/** A client over an open connection. */
export function createClient<Name extends string>(
  connection: Connection,
  start: Start,
  close: () => Promise<void>,
): AgentsClient<Name> {
  const run = (agent: Name, runId: string): DbosRun => new DbosRun(connection, agent, runId);
  return {
    run,
    start: async (agent, input, { runId = crypto.randomUUID(), ...rest } = {}) => {
      const started = run(agent, runId);
      await start(agent, { ...rest, input, runId });
      return started;
    },
    close,
  };
}

/** A run of an agent that no worker serves would stay in the queue. If there are no workers, it waits for the first. */
async function checkServed(database: Database, agent: string): Promise<void> {
  const rows = await database.query<{ agents: readonly string[] }>(
    "SELECT agents FROM pollux.executors WHERE heartbeat_at > now() - interval '1 minute'",
  );
  const served = new Set(rows.flatMap(({ agents }) => agents));
  if (served.size === 0 || served.has(agent)) return;
  throw new EngineError(
    "agent-unknown",
    `no worker serves an agent "${agent}"; available: ${[...served].toSorted().join(", ")}`,
  );
}
