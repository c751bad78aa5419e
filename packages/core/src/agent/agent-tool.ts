import { ToolFailure, ToolRetry } from "../errors/tool-errors.ts";
import { isObject } from "../internal/json.ts";
import type { RunResult } from "../loop/result.ts";
import { defineTool } from "../tool/define-tool.ts";
import type { Tool } from "../tool/tool.ts";
import type { Agent } from "./agent.ts";
import type { OutputSchema } from "./agent-options.ts";
import { attachInner, innerSignal } from "./inner-run.ts";

/** How an agent is offered as a tool. */
export interface AgentToolOptions {
  /** Name of the function. @defaultValue the agent's name */
  readonly name?: string | undefined;
  /** What the agent is good for: the calling model decides by it. */
  readonly description: string;
  /** Schema of the agent's answer; without one the answer is its text. */
  readonly output?: OutputSchema | undefined;
  /** Milliseconds until the call is answered with a time-out. @defaultValue 600_000 */
  readonly timeoutMs?: number | undefined;
}

/** What an agent tool reports as progress: an event of the inner run, and through which agents it came, outermost first. */
export interface AgentProgress {
  readonly path: readonly string[];
  readonly event: unknown;
}

const INPUT = {
  type: "object",
  properties: {
    task: {
      type: "string",
      description: "What to do, with everything that is needed to do it: the agent sees nothing else.",
    },
  },
  required: ["task"],
};

/**
 * An agent as a tool of another one. It runs through the same loop, in a conversation of its own; its usage and sources
 * are added to the caller's, its events are reported as progress with the path of agents, an abort of the caller ends it.
 */
export function agentTool(agent: Agent, options: AgentToolOptions): Tool {
  const name = options.name ?? agent.name;
  return defineTool({
    name,
    description: options.description,
    input: INPUT,
    timeoutMs: options.timeoutMs ?? 600_000,
    run: async function* (input, context) {
      if (!isObject(input) || typeof input["task"] !== "string") throw new ToolRetry("task must be a text");
      const task = input["task"];
      const signal = innerSignal(context.signal);
      const stream =
        options.output === undefined
          ? agent.stream(task, { signal })
          : agent.stream(task, { signal, output: options.output });
      const events = stream[Symbol.asyncIterator](); // asked for first, so that result() waits for this reader
      const ending = attachInner(stream.result(), (run) => context.attach(run));
      ending.catch(() => {}); // whoever reads the events sees the error
      for await (const event of events) if (event.type !== "run-end") yield pathed(name, event);
      return answerOf(await ending, name);
    },
  });
}

function answerOf(result: RunResult<unknown>, name: string): unknown {
  if (result.stopReason !== "finished")
    throw new ToolFailure(
      `${name} ended with "${result.stopReason}"${result.text === "" ? "" : `; it said: ${result.text.slice(0, 2_000)}`}`,
    );
  return result.output ?? result.text;
}

/** Progress of an agent inside an agent keeps one flat path. */
function pathed(name: string, event: { readonly type: string; readonly progress?: unknown }): AgentProgress {
  const inner = event.type === "tool-progress" ? event.progress : undefined;
  if (typeof inner === "object" && inner !== null && "path" in inner && "event" in inner && Array.isArray(inner.path)) {
    return { path: [name, ...(inner.path as readonly string[])], event: inner.event };
  }
  return { path: [name], event };
}
