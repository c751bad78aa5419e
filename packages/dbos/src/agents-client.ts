import { EngineError, type EngineInput, type EngineRunInput } from "@pollux/core/durable";
import { DbosRun } from "./agent-run.ts";
import { type Connection, connect, type PollOptions } from "./connection.ts";
import { type Database, type DatabaseOptions, openDatabase } from "./database.ts";
import { QUEUE, WORKFLOW_CLASS } from "./protocol.ts";
import { findWorkflow } from "./run-state.ts";

/** Where runs are started and read. */
export interface AgentsClientOptions extends DatabaseOptions, PollOptions {}

/** What a run is started with, beside its input. */
export interface StartOptions extends Omit<EngineRunInput, "input"> {
  /** The run's id. Another start with the same one starts nothing and gives the same run. @defaultValue a random one */
  readonly runId?: string | undefined;
}

/** Starts the runs of agents that workers serve, and finds them again. */
export interface AgentsClient<Name extends string = string> {
  /**
   * Starts a run and resolves when the database has written it down.
   *
   * @throws {EngineError} `server-unreachable`, `server-refused`, `no-tables`, `id-taken` when another agent has a run of that id,
   * or `agent-unknown` when there are workers and none serves it.
   * @throws {TypeError} For an id that Postgres cannot keep: an empty one, or one with U+0000 or half a surrogate pair.
   */
  start(agent: Name, input: EngineInput, options?: StartOptions): Promise<DbosRun>;
  /** A run that was started before, here or elsewhere. Nothing is asked of the database. */
  run(agent: Name, runId: string): DbosRun;
  /** Ends the client's connections. Its runs go on. */
  close(): Promise<void>;
}

/**
 * A client of the agents that workers serve, over the database that both reach. Give it their names as a type to have them checked.
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
    // DBOS would keep the run that there is, and log that it did.
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

/** Ids are the database's, not each agent's. @throws {EngineError} `id-taken` */
export function checkAgent(runId: string, known: string | undefined, agent: string): void {
  if (known !== agent)
    throw new EngineError("id-taken", `run "${runId}" is one of ${known}, not of ${agent}: take another id`);
}

/** Puts a run where a worker finds it, unless it is there already. */
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

/** A run of an agent that no worker serves would stay on the queue. Without any worker it waits for the first. */
async function checkServed(database: Database, agent: string): Promise<void> {
  const rows = await database.query<{ agents: readonly string[] }>(
    "SELECT agents FROM pollux.executors WHERE heartbeat_at > now() - interval '1 minute'",
  );
  const served = new Set(rows.flatMap(({ agents }) => agents));
  if (served.size === 0 || served.has(agent)) return;
  throw new EngineError(
    "agent-unknown",
    `no worker serves an agent "${agent}"; there is ${[...served].toSorted().join(", ")}`,
  );
}
