import { MAX_TIMER_MS } from "../internal/abort.ts";
import { copyJson, isObject } from "../internal/json.ts";
import type { FunctionCall } from "../wire/types/content.ts";
import { jsonSafe } from "./json-safe.ts";
import { CANCELLED, NO_MESSAGE, OUTCOME_UNKNOWN, timedOut, toolFailed, unknownTool } from "./model-texts.ts";
import type { Tool, ToolContext, ToolOutcome } from "./tool.ts";

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
  if (context.signal.aborted) return failure("cancelled", CANCELLED);
  if (tool === undefined) return failure("not-found", describeUnknownTool(call.name, [...tools.keys()]));
  const ended = await new Promise<ToolOutcome | "aborted" | "timeout">((resolve) => {
    const limit = startTimeLimit(context.signal, tool.timeoutMs, resolve);
    void runTool(tool, call, limitContext(context, call, limit.signal)).then((outcome) => {
      limit.end();
      resolve(outcome);
    });
  });
  // It may have happened all the same, and a model that is not told so would just call it again.
  const unknown = tool.effects === "once" ? `; ${OUTCOME_UNKNOWN}` : "";
  if (ended === "aborted") return failure("cancelled", CANCELLED + unknown);
  if (ended === "timeout") return failure("timeout", timedOut(tool.name, tool.timeoutMs) + unknown);
  return ended;
}

/** The context with a copy of the call, the tool's own signal, and progress that never rejects. */
function limitContext(context: ToolContext, call: FunctionCall, signal: AbortSignal): ToolContext {
  let copy: FunctionCall | undefined;
  return {
    ...context,
    // Few tools look at it.
    get call() {
      return (copy ??= copyJson(call));
    },
    signal,
    progress: async (value) => {
      if (signal.aborted) return;
      try {
        await context.progress(jsonSafe(value).value);
      } catch {
        // A reader's fault must not become the tool's.
      }
    },
  };
}

/** Never rejects: it may be left behind when the time is up. */
async function runTool(tool: Tool, call: FunctionCall, context: ToolContext): Promise<ToolOutcome> {
  let stage = "checking the arguments";
  try {
    const input = await tool.parse(copyJson(call.args ?? {}));
    stage = "running";
    if (context.signal.aborted) return failure("cancelled", CANCELLED);
    const result = tool.run(input, context);
    return { ok: true, output: isGenerator(result) ? await drain(result, context) : await result };
  } catch (error) {
    // Whoever was told to stop may well throw; the caller has its answer already.
    const isPlanned = isNamed(error, "ToolRetry") || isNamed(error, "ToolFailure");
    if (!isPlanned && !context.signal.aborted) report(error, stage, tool, context);
    return describeFailure(tool, error);
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

function report(error: unknown, stage: string, tool: Tool, { logger, callId }: ToolContext): void {
  try {
    logger.error({ err: error, tool: tool.name, callId, stage }, "tool failed");
  } catch {
    // A logger's fault must not become the run's.
  }
}

/** What a tool threw, as the model reads it. */
export function describeFailure({ name }: Pick<Tool, "name">, error: unknown): ToolOutcome {
  if (isNamed(error, "ToolRetry")) return failure("bad-input", plannedText(error));
  if (isNamed(error, "ToolFailure")) return failure("failed", plannedText(error));
  return failure("failed", toolFailed(name, unplannedText(error)));
}

function failure(kind: Extract<ToolOutcome, { ok: false }>["kind"], message: string): ToolOutcome {
  return { ok: false, kind, message };
}

/** True for an error of this name, also from another copy of this library. */
export function isNamed(error: unknown, name: "ToolFailure" | "ToolRetry"): error is Error {
  try {
    return error instanceof Error && error.name === name;
  } catch {
    return false;
  }
}

function plannedText(error: Error): string {
  try {
    return error.message;
  } catch {
    return NO_MESSAGE;
  }
}

/** Longest text of an unplanned error that a model is given, in characters. */
const MAX_ERROR_LENGTH = 500;

/** The message of whatever was thrown, short and never with a stack. */
function unplannedText(error: unknown): string {
  try {
    const message =
      error instanceof Error
        ? error.message || error.name
        : typeof error === "string"
          ? error
          : (JSON.stringify(error) ?? String(error));
    const text = (message.split(/\n\s+at /, 1)[0] ?? "").trim();
    if (text === "") return NO_MESSAGE;
    return text.length > MAX_ERROR_LENGTH ? `${text.slice(0, MAX_ERROR_LENGTH - 1)}…` : text;
  } catch {
    return NO_MESSAGE;
  }
}

/** The names there are, and the nearest one when one is near. */
function describeUnknownTool(name: string, names: readonly string[]): string {
  const asked = name.replace(/^default_api[.:]/, "").slice(0, 64);
  let nearest: string | undefined;
  let least = Math.max(2, Math.floor(asked.length / 3)) + 1;
  for (const known of names) {
    const distance = levenshtein(asked.toLowerCase(), known.toLowerCase());
    if (distance < least) [nearest, least] = [known, distance];
  }
  return unknownTool(name, nearest, names);
}

function levenshtein(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, left] of a.split("").entries()) {
    const next = [i + 1];
    for (const [j, right] of b.split("").entries())
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (left === right ? 0 : 1)));
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** A signal with an end of its own. */
interface TimeLimit {
  /** Aborts with the outer signal's reason, or with a `TimeoutError` when the time is up. */
  readonly signal: AbortSignal;
  /** Frees timer and listener. */
  end(): void;
}

/** @param onOver - Called when one of the two happens, before the signal is aborted. */
function startTimeLimit(
  outer: AbortSignal,
  timeoutMs: number,
  onOver: (why: "aborted" | "timeout") => void,
): TimeLimit {
  const controller = new AbortController();
  const end = (): void => {
    clearTimeout(timer);
    outer.removeEventListener("abort", onAbort);
  };
  const onAbort = (): void => {
    end();
    onOver("aborted");
    controller.abort(outer.reason);
  };
  const onTimeout = (): void => {
    end();
    onOver("timeout");
    controller.abort(new DOMException(`no answer within ${timeoutMs} ms`, "TimeoutError"));
  };
  outer.addEventListener("abort", onAbort, { once: true });
  const timer = timeoutMs > MAX_TIMER_MS ? undefined : setTimeout(onTimeout, timeoutMs);
  return { signal: controller.signal, end };
}
