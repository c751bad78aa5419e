import { copyJson, isObject } from "../internal/json.ts";
import type { FunctionCall } from "../wire/content.ts";
import { jsonSafe } from "./json-safe.ts";
import { startLimit } from "./time-limit.ts";
import type { Tool, ToolContext } from "./tool.ts";
import { isNamed, notFoundText, toolErrorText } from "./tool-error-text.ts";
import type { ToolOutcome } from "./tool-outcome.ts";

/**
 * Finds, checks and runs one call. Never rejects, so a batch can be started before it is awaited.
 *
 * The answer comes at once when the run is aborted or the tool's time is up, also from a tool that does not listen;
 * what such a tool does later is ignored. The tool gets copies: nothing it changes reaches the history.
 *
 * @param context - Of the call; the tool sees it with a signal that also fires when its time is up.
 */
export async function callTool(
  tools: ReadonlyMap<string, Tool>,
  call: FunctionCall,
  context: ToolContext,
): Promise<ToolOutcome> {
  const tool = tools.get(call.name);
  if (context.signal.aborted) return cancelled();
  if (tool === undefined) return failure("not-found", notFoundText(call.name, [...tools.keys()]));
  const limit = startLimit(context.signal, tool.timeoutMs);
  try {
    const work = answer(tool, call, contextFor(call, context, limit.signal));
    const why = await Promise.race([work, limit.over]);
    // It may have happened all the same, and a model that is not told so would just call it again.
    const unsure = tool.effects === "once" ? `; ${OUTCOME_UNKNOWN}` : "";
    if (why === "aborted") return failure("cancelled", `${CANCELLED}${unsure}`);
    if (why === "timeout")
      return failure("timeout", `${tool.name} did not answer within ${tool.timeoutMs} ms${unsure}`);
    return why;
  } finally {
    limit.end();
  }
}

function contextFor(call: FunctionCall, context: ToolContext, signal: AbortSignal): ToolContext {
  return {
    signal,
    callId: context.callId,
    call: copyJson(call),
    idempotencyKey: context.idempotencyKey,
    runId: context.runId,
    turn: context.turn,
    logger: context.logger,
    progress: async (value) => {
      if (signal.aborted) return;
      try {
        await context.progress(jsonSafe(value).value);
      } catch {
        // A reader's fault must not become the tool's.
      }
    },
    attach: (run) => context.attach(run),
    parent: context.parent,
  };
}

/** Never rejects: it may be left behind when the time is up. */
async function answer(tool: Tool, call: FunctionCall, context: ToolContext): Promise<ToolOutcome> {
  let stage = "checking the arguments";
  try {
    const input = await tool.parse(copyJson(call.args ?? {}));
    stage = "running";
    if (context.signal.aborted) return cancelled();
    const result = tool.run(input, context);
    return { ok: true, output: isGenerator(result) ? await drain(result, context) : await result };
  } catch (error) {
    // Whoever was told to stop may well throw; the caller has its answer already.
    const isPlanned = isNamed(error, "ToolRetry") || isNamed(error, "ToolFailure");
    if (!isPlanned && !context.signal.aborted) report(error, stage, tool, context);
    return failureOf(tool, error);
  }
}

/** What a tool threw, as the model reads it. */
export function failureOf(tool: Pick<Tool, "name">, error: unknown): ToolOutcome {
  if (isNamed(error, "ToolRetry")) return failure("bad-input", toolText(error));
  if (isNamed(error, "ToolFailure")) return failure("failed", toolText(error));
  return failure("failed", `${tool.name} failed: ${toolErrorText(error)}`);
}

async function drain(steps: AsyncGenerator<unknown, unknown, void>, context: ToolContext): Promise<unknown> {
  const leave = (): void => {
    // Its cleanup runs as soon as it yields; nobody waits for it.
    Promise.resolve(steps.return(undefined)).catch(() => {});
  };
  context.signal.addEventListener("abort", leave, { once: true });
  try {
    for (;;) {
      const step = await steps.next();
      if (step.done === true) return step.value;
      await context.progress(step.value);
    }
  } finally {
    context.signal.removeEventListener("abort", leave);
  }
}

function isGenerator(value: unknown): value is AsyncGenerator<unknown, unknown, void> {
  return (
    isObject(value) &&
    Symbol.asyncIterator in value &&
    typeof value["next"] === "function" &&
    typeof value["return"] === "function"
  );
}

function report(error: unknown, stage: string, tool: Tool, { logger, callId }: ToolContext): void {
  try {
    logger.error({ err: error, tool: tool.name, callId, stage }, "tool failed");
  } catch {
    // A logger's fault must not become the run's.
  }
}

function toolText(error: Error): string {
  try {
    return error.message;
  } catch {
    return "no message";
  }
}

const CANCELLED = "cancelled: the run was ended";
/** What the model reads of a call that may have happened although nobody waited for its end. */
export const OUTCOME_UNKNOWN = "it is not known whether this call was carried out. Find out before you make it again";

function cancelled(): ToolOutcome {
  return failure("cancelled", CANCELLED);
}

function failure(kind: Extract<ToolOutcome, { ok: false }>["kind"], message: string): ToolOutcome {
  return { ok: false, kind, message };
}
