import { checkOptions, namesIn, type OptionNames } from "../internal/option-names.ts";
import { ToolError, ModelRetry } from "../errors/run-errors.ts";
import { isObject, type Json } from "../internal/json.ts";
import type { RunEvent } from "../loop/events.ts";
import { usedUp, within } from "../loop/limits.ts";
import type { RunResult } from "../loop/result.ts";
import type { RunStream } from "../loop/run-stream.ts";
import type { Model } from "../model/model.ts";
import { NO_USAGE } from "../model/usage.ts";
import { describeFailure } from "../tool/call-failure.ts";
import { checkValue } from "../tool/call-tool.ts";
import { defineTool } from "../tool/define-tool.ts";
import { jsonSafe } from "../tool/function-response.ts";
import {
  AGENT_TASK,
  agentEnded,
  agentFailures,
  nothingLeft,
  TASK_MISSING,
  timedOut,
  toolFailed,
} from "../tool/model-texts.ts";
import { declareSchema } from "../tool/schema/declare.ts";
import { isStandardSchema } from "../tool/schema/standard-schema.ts";
import { isPrivate, type ReadSource, type ToolTrust, TRUST, trustOf, withoutKnown } from "../tool/reads.ts";
import type {
  Approve,
  ChildAgent,
  ChildRunResult,
  NestedRun,
  ParentRun,
  Tool,
  ToolContext,
  ToolOutcome,
} from "../tool/tool.ts";
import type { EngineResult, EngineRunInput, RunReport } from "./run-report.ts";
import { attachNested, buildNested, nestedSignal, type ReadFrom } from "./nested-run.ts";
import type { AgentOptions, AnyRunOptions, OutputSchema } from "./options.ts";
import type { RunInput } from "./run-input.ts";
import type { Session } from "./session.ts";

/**
 * Options of an agent as a tool. The call reads what its run has read, and the run asks about its own calls, so `reads` and `reach` are
 * seldom needed. An answer whose schema has no room for free text is not untrusted: numbers, booleans, enums, constants and dates under
 * fixed names.
 */
export interface AgentToolOptions<Context = unknown, Name extends string = string> extends ToolTrust<AgentToolInput> {
  /** Name of the function. @defaultValue the agent's name */
  readonly name?: Name | undefined;
  /** What the agent is good for: the calling model decides by this text whether to call it. */
  readonly description: string;
  /** Schema of the agent's answer; without one the answer is its text. */
  readonly output?: OutputSchema | undefined;
  /** Milliseconds until the call is answered with a timeout. @defaultValue 600_000 */
  readonly timeoutMs?: number | undefined;
  /** Whether the calling model reads the error of a run that failed, as with `defineTool`. @defaultValue false */
  readonly exposeErrors?: boolean | undefined;
  /**
   * A session of the agent that stores the run inside the call, so that resuming the calling run continues it instead of starting
   * over. An id derived from the idempotency key gives each call its own session:
   * `({ idempotencyKey }) => researcher.session({ id: idempotencyKey, store })`. With a fixed id the agent remembers earlier
   * calls; such calls must not run in parallel. `undefined` stores nothing. @defaultValue none
   */
  readonly session?: ((context: ToolContext<Context>) => Session<Context> | undefined) | undefined;
}

/** Arguments of a call to an agent tool. */
export interface AgentToolInput {
  readonly task: string;
}

/**
 * Progress of an agent tool: an event of the inner run, and its path, outermost first: the agents, then the tool for events of a
 * call, such as `["researcher", "web_fetch"]`.
 */
export interface AgentProgress {
  readonly path: readonly string[];
  readonly event: unknown;
}

/** An agent whose runs happen inside the calls of another run. */
export interface NestedAgent {
  readonly name: string;
  readonly model: Model;
  /** `name` is set only if an engine can run the agent under it. */
  readonly own: Pick<AgentOptions, "name" | "limits" | "prices" | "approve" | "output">;
  stream(input: RunInput, options: AnyRunOptions): RunStream<unknown>;
}

const OPTIONS: OptionNames<AgentToolOptions> = namesIn("name description output timeoutMs exposeErrors session", TRUST);

const INPUT = {
  type: "object",
  properties: { task: { type: "string", description: AGENT_TASK } },
  required: ["task"],
};

/**
 * An agent as a tool of another one. It runs through the same loop, in a conversation of its own; its usage, cost and sources
 * are added to the calling run's, its events are reported as progress with their path. It is aborted with the calling run,
 * never gets more tokens, time or money than that run has left, and asks that run's `approve`.
 */
export function agentTool(agent: NestedAgent, options: AgentToolOptions): Tool<AgentToolInput> {
  checkOptions("asTool()", options, OPTIONS, { "use name": "toolName" });
  const { name = agent.name, description, output = agent.own.output, timeoutMs = 600_000, exposeErrors } = options;
  const tool: Tool = defineTool({
    ...trustOf(options),
    name,
    description,
    input: INPUT,
    timeoutMs,
    exposeErrors,
    run: async function* (input, context) {
      const stream = open(parseTask(input), context);
      const events = stream[Symbol.asyncIterator]();
      const first = events.next(); // before result(), which would otherwise consume the run itself
      const ending = attachNested(
        stream.result(),
        (run) => context.attach(run),
        (read, result) => readFrom(withoutKnown(read, context.parent?.read), result),
      );
      ending.catch(() => {}); // the event iterator reports the error
      const tools = new Map<string, string>();
      try {
        for (let next = await first; next.done !== true; next = await events.next())
          if (next.value.type !== "run-end") yield buildProgress(name, next.value, tools);
      } finally {
        await events.return();
      }
      return readAnswer(await ending, name);
    },
  });
  // A session stores the run itself. Unnamed agents all share one name, so an engine could not tell them apart.
  const runsOnEngine = options.session === undefined && agent.own.name !== undefined;
  // The schema ensures that there is a task, the only member of the type.
  return {
    ...tool,
    ...(options.reads === undefined && { readsNested: true }),
    ...(runsOnEngine && { agent: childAgent(agent, tool, output, readFrom) }),
  } as Tool<AgentToolInput>;

  /** What a call has read, given what its run has read. An answer without free text passes no text on; an explicit `reads` wins. */
  async function readFrom(
    read: readonly ReadSource[],
    result?: RunResult<unknown> | EngineResult,
  ): Promise<NestedRun["read"]> {
    // The text of an error may come from anywhere.
    if (result === undefined && exposeErrors === true) read = [...read, { tool: "error", reads: "both" }];
    if (read.length === 0 || options.reads !== undefined) return undefined;
    const isAnswer = result?.stopReason === "finished" && result.endedBy === undefined;
    if (!isAnswer || output === undefined || output === "json") return read;
    // Loaded late: most answers have text, and most agents read nothing.
    const { hasNoFreeText } = await import("../tool/schema/free-text.ts");
    const { source } = declareSchema(output);
    if (!hasNoFreeText(source, jsonSafe(result.output).value)) return read;
    return read.filter(isPrivate).map((one) => ({ ...one, reads: "private" }));
  }

  function open(task: string, context: ToolContext): RunStream<unknown> {
    const { approve, rehearsal, ...inherited } = inheritOptions(name, agent.own, context.parent);
    const run = {
      ...inherited,
      approve: approve && addToPath(name, approve),
      rehearsal: rehearsal?.approve ? { ...rehearsal, approve: addToPath(name, rehearsal.approve) } : rehearsal,
      // The session's own context, whose type is erased here.
      context: context.context as undefined,
      signal: nestedSignal(context.signal),
      output,
    };
    const session = options.session?.(context);
    if (session === undefined) return agent.stream(task, run);
    // Calls that share a session run one after another; a repeated call resumes its run.
    return session.continueStream({ ...run, message: task, runId: context.idempotencyKey, whileRunning: "wait" });
  }
}

/** The agent's own options, bounded by what the calling run has left. @throws {ToolError} When that run has used up a limit. */
function inheritOptions(
  tool: string,
  { prices, approve, ...own }: NestedAgent["own"],
  parent: ParentRun | undefined,
): Pick<AnyRunOptions, "limits" | "prices" | "approve" | "parent" | "read" | "metadata" | "rehearsal"> {
  const limits = within({ ...own.limits }, parent?.remaining ?? {});
  const used = usedUp(limits);
  if (used !== undefined) throw new ToolError(nothingLeft(tool, used));
  return {
    limits,
    prices: prices ?? parent?.prices,
    approve: approve ?? parent?.approve,
    parent: parent?.step,
    read: parent?.read,
    metadata: parent?.metadata,
    rehearsal: parent?.rehearsal,
  };
}

/** @throws {ModelRetry} When the call has no task. */
function parseTask(input: unknown): string {
  const task = isObject(input) ? input["task"] : undefined;
  if (typeof task !== "string" || task.trim() === "") throw new ModelRetry(TASK_MISSING);
  return task;
}

function addToPath(name: string, approve: Approve): Approve {
  return (pending, run) => approve({ ...pending, path: [name, ...(pending.path ?? [])] }, run);
}

/** Progress of an agent inside an agent keeps one flat path. @param tools - Names of the inner run's tools by call id, filled in here. */
function buildProgress(name: string, event: RunEvent, tools: Map<string, string>): AgentProgress {
  if ("call" in event) tools.set(event.callId, event.call.name);
  const inner = event.type === "tool-progress" ? event.progress : undefined;
  if (typeof inner === "object" && inner !== null && "path" in inner && "event" in inner && Array.isArray(inner.path))
    return { path: [name, ...(inner.path as readonly string[])], event: inner.event };
  const tool = "callId" in event ? tools.get(event.callId) : undefined;
  return { path: tool === undefined ? [name] : [name, tool], event };
}

/** The result of a call that was a run. @throws {ToolError} When the run did not finish; the message says how it ended. */
function readAnswer(result: RunResult<unknown> | EngineResult, name: string): unknown {
  if (result.stopReason === "finished") return result.output ?? result.text;
  const limit = result.stopReason === "limit" ? result.limit.name : undefined;
  throw new ToolError(agentEnded(name, result.stopReason, limit, result.text));
}

/**
 * Turns an agent tool's calls into separate runs on a durable engine, answered like runs inside the call. A function cannot be passed on:
 * the run finds the caller's `approve` by its agent's name.
 */
function childAgent(
  agent: NestedAgent,
  tool: Tool,
  output: OutputSchema | undefined,
  readFrom: ReadFrom<EngineResult>,
): ChildAgent {
  return {
    name: agent.name,
    start: async (args, parent) => {
      const task = parseTask(await tool.parse(args));
      const { limits, metadata } = inheritOptions(tool.name, agent.own, parent);
      // A price function cannot be passed on, but its prices for the agent's model can. `startChild` has already bound the time.
      const {
        prices = typeof parent.prices === "function" ? parent.prices(agent.model.id, new Date(0)) : parent.prices,
      } = agent.own;
      const isSchema = output !== undefined && output !== "json";
      const start: EngineRunInput = {
        input: task,
        output: isSchema ? declareSchema(output).schema : output,
        limits: { ...limits, wallTimeMs: Math.min(limits?.wallTimeMs ?? Infinity, tool.timeoutMs) },
        prices: typeof prices === "function" ? undefined : prices,
        parent: parent.step,
        read: parent.read,
        metadata,
        path: [tool.name],
      };
      // JSON has no infinity; an absent limit means the same.
      return JSON.parse(JSON.stringify(start, (_, value: unknown) => (value === Infinity ? undefined : value))) as Json;
    },
    finish: async (report) => {
      // The engine returns one of our reports, unless something else is registered under the agent's name.
      const read = (isObject(report) ? report : {}) as Partial<RunReport>;
      const { activeMs = 0 } = read;
      return { outcome: await buildOutcome(read, tool, output), nested: await collectNested(read, readFrom), activeMs };
    },
  };
}

async function buildOutcome(
  report: Partial<RunReport>,
  tool: Tool,
  output: OutputSchema | undefined,
): Promise<ToolOutcome> {
  const { name, timeoutMs } = tool;
  try {
    if (report.status === "failed") throw new Error(report.error?.message);
    if (report.status === "cancelled") throw new ToolError(toolFailed(name, agentFailures.cancelled));
    if (report.status !== "ended") throw new ToolError(toolFailed(name, agentFailures.notAnAgent));
    const { result } = report;
    if (result === undefined) throw new ToolError(toolFailed(name, agentFailures.noResult));
    if (result.stopReason === "limit" && result.limit.name === "wallTimeMs" && result.limit.limit === timeoutMs)
      return { ok: false, kind: "timeout", message: timedOut(name, timeoutMs) };
    const answer = readAnswer(result, name);
    const isAnswer = result.stopReason === "finished" && result.endedBy === undefined;
    if (!isAnswer || output === undefined || !isStandardSchema(output)) return { ok: true, output: answer };
    // The run only had the JSON Schema; the author's schema validates and transforms here.
    const misfit = (): Error => new ToolError(agentEnded(name, "invalid-output", undefined, result.text));
    return { ok: true, output: await checkValue(output, result.output, misfit) };
  } catch (error) {
    return describeFailure(tool, error);
  }
}

async function collectNested(
  report: Partial<RunReport>,
  readFrom: ReadFrom<EngineResult>,
): Promise<ChildRunResult["nested"]> {
  // A worker of an older release doesn't report it.
  const { read: given = [{ tool: "agent", reads: "both" }] } = report;
  if (report.status === "ended" && report.result !== undefined) {
    const { found = [], result } = report;
    const responses = result.response === undefined ? found : [...found, result.response];
    return [buildNested(result, responses, await readFrom(given, result))];
  }
  const isCut = report.status === "failed" || report.status === "cancelled";
  const read = await readFrom(given);
  if (!isCut || (report.soFar === undefined && read === undefined)) return [];
  return [buildNested(report.soFar ?? { usage: NO_USAGE }, [], read)];
}
