import type { Agent } from "../agent/agent.ts";
import type { Json } from "../internal/json.ts";
import { recordedCalls } from "./recorded-calls.ts";

/**
 * Calls of a log that have read what is no longer the same, such as a skill whose text has changed: a sentence each, oldest first. A replay
 * gives calls their recorded outcomes, so this asks the tools of the agent that can tell: see `Tool.changedSince`.
 *
 * @param runId - Only calls of this run. @defaultValue all runs
 */
export async function changedCalls(
  { tools }: Pick<Agent, "tools">,
  log: readonly Json[],
  runId?: string,
): Promise<readonly string[]> {
  const changes: string[] = [];
  for (const { callId, name, steps } of recordedCalls(log, runId)) {
    const tool = tools.find((one) => one.kind === "function" && one.name === name);
    const change = steps && tool?.kind === "function" ? await tool.changedSince?.(steps) : undefined;
    if (change !== undefined) changes.push(`${callId} (${name}) has read something else: ${change}`);
  }
  return changes;
}
