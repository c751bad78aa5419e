import type { EngineInput, EngineRunInput } from "@pollux/core/durable";
import { connect, defaultShouldRetry, type Ingress } from "@restatedev/restate-sdk-clients";
import { RestateRun } from "./agent-run.ts";
import { sendRequest } from "./connection.ts";

/** Where runs are started and read. */
export interface AgentsClientOptions {
  /** Address of Restate's ingress. @defaultValue "http://127.0.0.1:8080" */
  readonly ingress?: string | undefined;
  /** Sent with every request to it, such as an `authorization`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** How long a server that does not answer is tried again, in milliseconds. @defaultValue 5_000 */
  readonly retryForMs?: number | undefined;
}

/** What a run is started with, beside its input. */
export interface StartOptions extends Omit<EngineRunInput, "input"> {
  /** The run's id. Another start with the same one starts nothing and gives the same run. @defaultValue a random one */
  readonly runId?: string | undefined;
}

/** Starts the runs of agents that workers serve, and finds them again. */
export interface AgentsClient<Name extends string> {
  /**
   * Starts a run and resolves when Restate has written it down.
   *
   * @throws {EngineError} `server-unreachable` or `agent-unknown`.
   * @throws {TypeError} For an empty id, `"."` and `".."`, and for input that has no JSON.
   */
  start(agent: Name, input: EngineInput, options?: StartOptions): Promise<RestateRun>;
  /** A run that was started before, here or elsewhere. Nothing is asked of the server. */
  run(agent: Name, runId: string): RestateRun;
}

/**
 * A client of the agents that workers serve. Give it their names as a type to have them checked.
 *
 * @example
 * ```ts
 * const client = agentsClient<"planner" | "critic">();
 * const run = await client.start("planner", "Two days in Oslo", { runId: "trip-7" });
 * const report = await run.result();
 * ```
 */
export function agentsClient<Name extends string = string>(options: AgentsClientOptions = {}): AgentsClient<Name> {
  const { headers, retryForMs = 5_000 } = options;
  const url = (options.ingress ?? "http://127.0.0.1:8080").replace(/\/$/, "");
  const ingress: Ingress = connect({
    url,
    ...(headers !== undefined && { headers: { ...headers } }),
    // Not for a network that fails, which `sendRequest` knows better.
    retry: {
      maxAttempts: false,
      maxDuration: retryForMs,
      initialInterval: 50,
      maxInterval: 1_000,
      shouldRetry: (failure) => failure.kind === "response" && defaultShouldRetry(failure),
    },
  });
  const connection = { ingress, url, retryForMs };
  const run = (agent: Name, runId: string): RestateRun => new RestateRun(connection, agent, runId);
  return {
    run,
    start: async (agent, input, { runId = crypto.randomUUID(), ...rest } = {}) => {
      const started = run(agent, runId);
      await sendRequest(connection, agent, runId, (workflow) => workflow.workflowSubmit({ input, ...rest }));
      return started;
    },
  };
}
