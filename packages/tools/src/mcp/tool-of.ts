import type { Progress, Tool as McpTool } from "@modelcontextprotocol/client";
import { defineTool, type Reach, type Tool, type ToolContext, type ToolEffects, type ToolOptions } from "@pollux/core";
import type { JsonSchema } from "@pollux/core/wire";
import { CallClock } from "./call-clock.ts";
import type { Connection } from "./connection.ts";
import { resultOutput } from "./result-output.ts";
import type { McpToolInfo, McpToolsOptions } from "./server-options.ts";

/** Most progress notifications that wait to be read; further ones are dropped. */
const MOST_WAITING = 100;

/**
 * Turns a server's tool into one that an agent can call.
 *
 * @throws {ToolDefinitionError} If the service would reject its schema.
 */
export function toolOf(tool: McpTool, name: string, connection: Connection, options: McpToolsOptions): Tool {
  const { timeoutMs = 60_000, validate } = options;
  const info: McpToolInfo = { name: tool.name, annotations: tool.annotations ?? {} };
  const effects = effectsOf(info, options.effects);
  const { resetTimeoutOnProgress = false, maxTimeoutMs = 3_600_000, onElicit } = options;
  const hasClock = resetTimeoutOnProgress || onElicit !== undefined;
  return defineTool({
    ...rulesFor(info, connection, options),
    name,
    description: [tool.description, tool.title, tool.annotations?.title].find((text) => text?.trim()) ?? tool.name,
    input: tool.inputSchema,
    validate: typeof validate === "function" ? validate(info) : validate,
    timeoutMs: hasClock ? Math.max(timeoutMs, maxTimeoutMs) : timeoutMs,
    effects,
    untrustedDescription: options.pins === undefined || options.toolChanges === "accept",
    run: async (input, context) => {
      const reports = new Reports(context);
      const clock = hasClock ? new CallClock(timeoutMs, silenceText(name, timeoutMs, effects)) : undefined;
      try {
        const result = await connection.call({
          tool,
          // `parse` has checked that it is an object.
          args: input as Readonly<Record<string, unknown>>,
          context,
          signal: clock === undefined ? context.signal : AbortSignal.any([context.signal, clock.signal]),
          timeoutMs: hasClock ? Math.max(timeoutMs, maxTimeoutMs) : timeoutMs,
          repeatable: effects !== "once",
          clock,
          questions: 0,
          onProgress: (progress) => {
            if (resetTimeoutOnProgress) clock?.restart();
            reports.add(progress);
          },
        });
        await reports.done();
        return resultOutput(result, tool.name);
      } finally {
        clock?.stop();
      }
    },
  });
}

/** The author's settings for calls and results of one tool. */
export function rulesFor(
  info: McpToolInfo,
  connection: Connection,
  { reads = connection.reads, reach, needsApproval, maxResultBytes }: McpToolsOptions,
): Pick<ToolOptions<JsonSchema, unknown>, "reads" | "reach" | "needsApproval" | "origin" | "maxResultBytes"> {
  return {
    reads: typeof reads === "function" ? reads(info) : reads,
    reach: (typeof reach === "function" ? reach(info) : reach) ?? reachOf(info),
    needsApproval:
      typeof needsApproval === "function" ? (input, call) => needsApproval(info, input, call) : needsApproval,
    origin: connection.name,
    maxResultBytes,
  };
}

function silenceText(name: string, timeoutMs: number, effects: ToolEffects): string {
  const unknown = effects === "once" ? "; it is unknown whether this call took effect" : "";
  return `${name} timed out: no answer and no progress within ${timeoutMs} ms${unknown}`;
}

function effectsOf(tool: McpToolInfo, given: McpToolsOptions["effects"]): ToolEffects {
  if (given !== undefined) return typeof given === "function" ? given(tool) : given;
  if (tool.annotations.readOnlyHint === true) return "none";
  return tool.annotations.idempotentHint === true ? "idempotent" : "once";
}

/** A server may lie about its tools: its hints can turn an outside call into a lookup, but not into an inside one. */
function reachOf({ annotations: { readOnlyHint, destructiveHint } }: McpToolInfo): Reach {
  return readOnlyHint === true && destructiveHint !== true ? "lookup" : "outside";
}

/** Passes progress on in order, and no faster than it is read. */
class Reports {
  readonly #context: ToolContext;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(context: ToolContext) {
    this.#context = context;
  }

  add({ progress, total, message }: Progress): void {
    if (this.#waiting >= MOST_WAITING) return;
    this.#waiting++;
    const value = { progress, ...(total !== undefined && { total }), ...(message !== undefined && { message }) };
    this.#last = this.#last.then(async () => {
      await this.#context.progress(value);
      this.#waiting--;
    });
  }

  done(): Promise<void> {
    return this.#last;
  }
}
