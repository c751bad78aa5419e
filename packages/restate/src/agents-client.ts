import type { EngineInput, EngineRunInput } from "@pollux/core/durable";
import { connect, defaultShouldRetry, type Ingress } from "@restatedev/restate-sdk-clients";
import { RestateRun } from "./agent-run.ts";
import { sendRequest } from "./connection.ts";

/** Options of {@link agentsClient}. */
export interface AgentsClientOptions {
  /** URL of Restate's ingress. @defaultValue "http://127.0.0.1:8080" */
  readonly ingress?: string | undefined;
  /** Sent with every request to the ingress, for example `authorization`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** How long to retry while the server doesn't answer, in milliseconds. @defaultValue 5_000 */
  readonly retryForMs?: number | undefined;
  /**
   * How long an answer, a message or a cancellation that Restate has stored waits for a worker to report what happened
   * to it, in milliseconds. After that it counts as `accepted`. @defaultValue 5_000
   */
  readonly replyWithinMs?: number | undefined;
}

/** Options for starting a run. */
export interface StartOptions extends Omit<EngineRunInput, "input" | "callers" | "path"> {
  /** The run's id. Starting a run with the same id again starts nothing and returns the same run. @defaultValue a random one */
  readonly runId?: string | undefined;
}

/** Starts runs of agents that workers serve, and looks them up later. */
export interface AgentsClient<Name extends string> {
  /**
   * Starts a run and resolves once Restate has stored it.
   *
   * @throws {EngineError} `server-unreachable` or `agent-unknown`.
   * @throws {TypeError} For the ids `""`, `"."` and `".."`, and for input that can't be converted to JSON.
   */
  start(agent: Name, input: EngineInput, options?: StartOptions): Promise<RestateRun>;
  /** A handle on an existing run, started here or elsewhere. Doesn't contact the server. */
  run(agent: Name, runId: string): RestateRun;
}

/**
 * A client for the agents that workers serve. Pass the agents' names as a type to have them checked.
 *
 * @example
 * ```ts
 * const client = agentsClient<"planner" | "critic">();
 * const run = await client.start("planner", "Two days in Oslo", { runId: "trip-7" });
 * const report = await run.result();
 * ```
 */
export function agentsClient<Name extends string = string>(options: AgentsClientOptions = {}): AgentsClient<Name> {
  const { headers, retryForMs = 5_000, replyWithinMs = 5_000 } = options;
  const url = (options.ingress ?? "http://127.0.0.1:8080").replace(/\/$/, "");
  const ingress: Ingress = connect({
    url,
    ...(headers !== undefined && { headers: { ...headers } }),
    // Not for network failures, which `sendRequest` handles better.
    retry: {
      maxAttempts: false,
      maxDuration: retryForMs,
      initialInterval: 50,
      maxInterval: 1_000,
      shouldRetry: (failure) => failure.kind === "response" && defaultShouldRetry(failure),
    },
  });
  const connection = { ingress, url, retryForMs, replyWithinMs };
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
