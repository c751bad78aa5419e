import { ToolFailure } from "../../errors/run-errors.ts";
import { isObject, type Json } from "../../internal/json.ts";
import { isStandardSchema } from "../../tool/schema/from-zod.ts";
import type { Limits } from "../../loop/limits.ts";
import { findPrices, type Prices } from "../../model/usage.ts";
import { describeFailure } from "../../tool/call-tool.ts";
import { agentEnded, agentFailures, timedOut, toolFailed } from "../../tool/model-texts.ts";
import type { ChildAgent, ChildRunResult, ParentRun, ToolOutcome } from "../../tool/tool.ts";
import { declareSchema } from "../../tool/schema/declare.ts";
import { checkRemaining, type NestedAgent, parseTask, readAnswer } from "../nested-run.ts";
import type { OutputSchema } from "../options.ts";
import type { EndedReport, EngineRunInput, RunReport } from "./run-report.ts";

/** How the agent is offered. */
export interface OfferedAgent {
  readonly name: string;
  readonly timeoutMs: number;
  readonly output: OutputSchema | undefined;
  parse(args: unknown): unknown;
}

/**
 * An agent tool's calls as runs of their own: begun with what the call hands over and the caller has left, answered as the same run
 * inside the call would be. The caller's `approve` cannot be taken along: such a run asks its own agent's, or waits.
 */
export function childAgent(agent: NestedAgent, offered: OfferedAgent): ChildAgent {
  const { name, timeoutMs, output } = offered;
  return {
    name: agent.name,
    start: async (args, parent) => {
      const task = parseTask(await offered.parse(args));
      const { limits } = agent.nestedRunOptions(parent);
      checkRemaining(name, limits);
      const prices = choosePrices(agent, parent);
      const start: EngineRunInput = {
        input: task,
        ...(output !== undefined && { output: output === "json" ? output : declareSchema(output, "output").schema }),
        limits: dropInfinite({
          ...limits,
          wallTimeMs: Math.min(limits?.wallTimeMs ?? Infinity, timeoutMs),
          // Without prices, nothing is known of its cost.
          ...(prices === undefined && agent.nestedRunOptions(undefined).prices === undefined && { cost: undefined }),
        }),
        ...(prices !== undefined && { prices }),
        parent: parent.step,
      };
      return JSON.parse(JSON.stringify(start)) as Json;
    },
    finish: async (report) => {
      // What another run's engine gives; it is a report of ours, unless something else serves the agent's name.
      const read = (isObject(report) ? report : {}) as Partial<RunReport>;
      const { activeMs = 0 } = read;
      return { outcome: await buildOutcome(read, offered), nested: collectNested(read), activeMs };
    },
  };
}

/** A table that is a function cannot be handed on: its prices for the agent's model can. */
function choosePrices(agent: NestedAgent, parent: ParentRun): Prices | undefined {
  const own = agent.nestedRunOptions(undefined).prices;
  if (own !== undefined) return typeof own === "function" ? undefined : own;
  return findPrices(parent.prices, agent.model.id);
}

/** JSON has no infinity, and no bound is what its absence means. */
function dropInfinite(limits: Limits): Limits {
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => Number.isFinite(limit)));
}

async function buildOutcome(report: Partial<RunReport>, offered: OfferedAgent): Promise<ToolOutcome> {
  const { name } = offered;
  try {
    switch (report.status) {
      case "ended":
        return await answered(report.result, offered);
      case "failed":
        throw new Error(report.error?.message);
      case "cancelled":
        throw new ToolFailure(toolFailed(name, agentFailures.cancelled));
      default:
        throw new ToolFailure(toolFailed(name, agentFailures.notAnAgent));
    }
  } catch (error) {
    return describeFailure(offered, error);
  }
}

async function answered(
  result: EndedReport["result"] | undefined,
  { name, timeoutMs, output }: OfferedAgent,
): Promise<ToolOutcome> {
  if (result === undefined) throw new ToolFailure(toolFailed(name, agentFailures.noResult));
  if (result.stopReason === "limit" && result.limit.name === "wallTimeMs" && result.limit.limit === timeoutMs)
    return { ok: false, kind: "timeout", message: timedOut(name, timeoutMs) };
  const answer = readAnswer(result, name);
  if (result.stopReason !== "finished" || output === undefined || !isStandardSchema(output))
    return { ok: true, output: answer };
  // The run knew the schema as JSON Schema only; its checks and changes are made here.
  const checked = await output["~standard"].validate(result.output);
  if (checked.issues === undefined) return { ok: true, output: checked.value };
  return { ok: false, kind: "failed", message: agentEnded(name, "invalid-output", undefined, result.text) };
}

function collectNested(report: Partial<RunReport>): ChildRunResult["nested"] {
  if (report.status === "ended" && report.result !== undefined) {
    const { found = [], result } = report;
    const responses = result.response === undefined ? found : [...found, result.response];
    return [{ usage: result.usage, cost: result.cost, responses }];
  }
  if ((report.status === "failed" || report.status === "cancelled") && report.soFar !== undefined)
    return [{ usage: report.soFar.usage, cost: report.soFar.cost, responses: [] }];
  return [];
}
