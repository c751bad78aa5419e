import type { RunEvent } from "../loop/events.ts";
import type { RunStream } from "../loop/run-stream.ts";
import type { Approve, Tool, ToolContext } from "../tool/tool.ts";
import { defineTool } from "../tool/define-tool.ts";
import { AGENT_TASK } from "../tool/model-texts.ts";
import type { AnyRunOptions, OutputSchema } from "./options.ts";
import { childAgent } from "./engine/child-agent.ts";
import { attachNested, checkRemaining, type NestedAgent, nestedSignal, parseTask, readAnswer } from "./nested-run.ts";
import type { Session } from "./session.ts";

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
  /**
   * A session of the agent that keeps the run inside the call, so that a calling run which is resumed goes on with it and does
   * not begin it anew. With an id made of the idempotency key each call has one of its own:
   * `({ idempotencyKey }) => researcher.session({ id: idempotencyKey, store })`. With a fixed id the agent remembers earlier
   * calls; such calls must not run side by side. `undefined` keeps nothing. @defaultValue none
   */
  readonly session?: ((context: ToolContext) => Session | undefined) | undefined;
}

/** What the calling model hands over. */
export interface AgentToolInput {
  readonly task: string;
}

/**
 * What an agent tool reports as progress: an event of the inner run, and how it came, outermost first: agents, and at last the
 * tool for events of a call, such as `["researcher", "web_fetch"]`.
 */
export interface AgentProgress {
  readonly path: readonly string[];
  readonly event: unknown;
}

const INPUT = {
  type: "object",
  properties: { task: { type: "string", description: AGENT_TASK } },
  required: ["task"],
};

/**
 * An agent as a tool of another one. It runs through the same loop, in a conversation of its own; its usage, cost and sources
 * are added to the calling run's, its events are reported as progress with their path. When the calling run is aborted, it ends;
 * it never gets more tokens, time or money than that run has left, and asks that run's `approve`.
 */
export function agentTool(agent: NestedAgent, options: AgentToolOptions): Tool<AgentToolInput> {
  const { output } = options;
  const name = options.name ?? agent.name;
  const timeoutMs = options.timeoutMs ?? 600_000;
  const tool: Tool = defineTool({
    name,
    description: options.description,
    input: INPUT,
    timeoutMs,
    run: async function* (input, context) {
      const stream = await open(parseTask(input), context);
      const events = stream[Symbol.asyncIterator]();
      const first = events.next(); // before result(), which else would read the run itself
      const ending = attachNested(stream.result(), (run) => context.attach(run));
      ending.catch(() => {}); // whoever reads the events sees the error
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
  // A session keeps the run as it is, and an agent without a name would be taken for any other without one.
  const runsOnEngine = options.session === undefined && agent.isNamed;
  const whole = runsOnEngine
    ? { ...tool, agent: childAgent(agent, { name, timeoutMs, output, parse: (args) => tool.parse(args) }) }
    : tool;
  // The schema says that there is a task, which is all it is typed for.
  return whole as Tool<AgentToolInput>;

  async function open(task: string, context: ToolContext): Promise<RunStream<unknown>> {
    const { limits, prices, approve, parent } = agent.nestedRunOptions(context.parent);
    checkRemaining(name, limits);
    const signal = nestedSignal(context.signal);
    const run: AnyRunOptions = { limits, prices, approve: addToPath(name, approve), parent, signal, output };
    const session = options.session?.(context);
    return session === undefined
      ? agent.stream(task, run)
      : await session.startOrResume(context.idempotencyKey, task, run);
  }
}

/** Tells whoever is asked which agent wants to make the call. */
function addToPath(name: string, approve: Approve | undefined): Approve | undefined {
  if (approve === undefined) return undefined;
  return (pending, context) => approve({ ...pending, path: [name, ...(pending.path ?? [])] }, context);
}

/**
 * Progress of an agent inside an agent keeps one flat path.
 *
 * @param tools - Names of the inner run's tools by call id, filled in on the way.
 */
function buildProgress(name: string, event: RunEvent, tools: Map<string, string>): AgentProgress {
  if ("call" in event) tools.set(event.callId, event.call.name);
  const inner = event.type === "tool-progress" ? event.progress : undefined;
  if (typeof inner === "object" && inner !== null && "path" in inner && "event" in inner && Array.isArray(inner.path))
    return { path: [name, ...(inner.path as readonly string[])], event: inner.event };
  const tool = "callId" in event ? tools.get(event.callId) : undefined;
  return { path: tool === undefined ? [name] : [name, tool], event };
}
