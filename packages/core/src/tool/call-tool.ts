import { ToolRetry } from "../errors/run-errors.ts";
import { startTimer } from "../internal/abort.ts";
import { copyJson, isObject } from "../internal/json.ts";
import { nearestName } from "../internal/nearest-name.ts";
import type { FunctionCall } from "../wire/types/content.ts";
import type { JsonSchema } from "../wire/types/declaration.ts";
import { jsonSafe } from "./function-response.ts";
import {
  ARGUMENT_MISSING,
  ARGUMENTS_NOT_OBJECT,
  CANCELLED,
  invalidArguments,
  NO_MESSAGE,
  OUTCOME_UNKNOWN,
  timedOut,
  toolFailed,
  toolThrew,
  unknownTool,
} from "./model-texts.ts";
import { hasDefaults, withDefaults } from "./schema/defaults.ts";
import { isStandardSchema, issuesText, type StandardIssue, type StandardSchema } from "./schema/standard-schema.ts";
import type { Tool, ToolContext, ToolOutcome } from "./tool.ts";

/**
 * Looks up the tool, validates the arguments and runs the call. Never rejects, so a batch can be started before it is awaited.
 *
 * Resolves as soon as the run is aborted or the tool times out, even if the tool ignores its signal; what it does afterwards
 * is ignored. The tool gets copies: its changes never reach the history.
 *
 * @param context - Context of the call; the tool's `signal` also aborts on its timeout.
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
  // The call may have taken effect anyway; a model that is not told would call again.
  const unknown = tool.effects === "once" ? `; ${OUTCOME_UNKNOWN}` : "";
  if (ended === "aborted") return failure("cancelled", CANCELLED + unknown);
  if (ended === "timeout") return failure("timeout", timedOut(tool.name, tool.timeoutMs) + unknown);
  return ended;
}

/** The context the tool gets: a copy of the call, the tool's own signal, and progress that never rejects. */
function limitContext(context: ToolContext, call: FunctionCall, signal: AbortSignal): ToolContext {
  let copy: FunctionCall | undefined;
  return {
    ...context,
    // Copied on first use: few tools read it.
    get call() {
      return (copy ??= copyJson(call));
    },
    signal,
    progress: async (value) => {
      if (signal.aborted) return;
      try {
        await context.progress(jsonSafe(value).value);
      } catch {
        // A failing event reader must not fail the tool.
      }
    },
  };
}

/** Never rejects: after a timeout, nobody awaits it. */
async function runTool(tool: Tool, call: FunctionCall, context: ToolContext): Promise<ToolOutcome> {
  let stage = "checking the arguments";
  try {
    const input = await tool.parse(copyJson(call.args ?? {}));
    stage = "running";
    if (context.signal.aborted) return failure("cancelled", CANCELLED);
    const result = tool.run(input, context);
    return { ok: true, output: isGenerator(result) ? await drain(result, context) : await result };
  } catch (error) {
    // A tool that was aborted may throw; the call already has its answer.
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
    // The generator's cleanup runs at its next yield; nobody awaits it.
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
    // A failing logger must not fail the run.
  }
}

/** Converts what a tool threw into the outcome the model reads. Only an author's words, or a tool that exposes its errors, say more. */
export function describeFailure(
  { name, exposeErrors }: Pick<Tool, "name" | "exposeErrors">,
  error: unknown,
): ToolOutcome {
  if (isNamed(error, "ToolRetry")) return failure("bad-input", plannedText(error));
  if (isNamed(error, "ToolFailure")) return failure("failed", plannedText(error));
  return failure("failed", exposeErrors === true ? toolFailed(name, unplannedText(error)) : toolThrew(name));
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

/** The message of a thrown value, shortened and without a stack. */
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

/** Lists the available names, and suggests a similar one if there is any. */
function describeUnknownTool(name: string, names: readonly string[]): string {
  const asked = name.replace(/^default_api[.:]/, "").slice(0, 64);
  return unknownTool(name, nearestName(asked, names), names);
}

/** A signal with a time limit. */
interface TimeLimit {
  /** Aborts with the outer signal's reason, or with a `TimeoutError`. */
  readonly signal: AbortSignal;
  /** Clears the timer and the listener. */
  end(): void;
}

/** @param onOver - Called before the signal aborts. */
function startTimeLimit(
  outer: AbortSignal,
  timeoutMs: number,
  onOver: (why: "aborted" | "timeout") => void,
): TimeLimit {
  const controller = new AbortController();
  const end = (): void => {
    stop?.();
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
  const stop = timeoutMs === Infinity ? undefined : startTimer(timeoutMs, onTimeout);
  return { signal: controller.signal, end };
}

/**
 * Makes the function that validates a call's arguments. What a call leaves out takes the default that the schema has for it.
 * With a raw JSON Schema, it only checks for an object with the required properties, since the values are not typed either. The
 * function throws {@link ToolRetry} with at most five problems in at most 500 characters.
 *
 * @param source - The same schema as JSON Schema.
 */
export function buildParser(schema: unknown, source: JsonSchema): (args: unknown) => Promise<unknown> {
  const parse = buildCheck(schema);
  return hasDefaults(source) ? (args) => parse(withDefaults(args, source, source)) : parse;
}

function buildCheck(schema: unknown): (args: unknown) => Promise<unknown> {
  if (!isStandardSchema(schema)) return async (args) => checkObject(schema, args);
  // Zod 4's synchronous parse first compiles the schema to code: that costs about fifty parses, and some runtimes forbid it.
  if (isZod4(schema))
    return async (args) => {
      const { data, error } = await schema.safeParseAsync(args);
      if (error !== undefined) throw argumentsError(error.issues);
      return data;
    };
  return async (args) => {
    const checked = await schema["~standard"].validate(args);
    if (checked.issues !== undefined) throw argumentsError(checked.issues);
    return checked.value;
  };
}

function checkObject(schema: unknown, args: unknown): unknown {
  if (!isObject(args)) throw new ToolRetry(invalidArguments(ARGUMENTS_NOT_OBJECT));
  const required = isObject(schema) && Array.isArray(schema["required"]) ? schema["required"].map(String) : [];
  const missing = required.filter((name) => !Object.hasOwn(args, name));
  if (missing.length > 0) throw argumentsError(missing.map((name) => ({ message: ARGUMENT_MISSING, path: [name] })));
  return args;
}

function argumentsError(issues: readonly StandardIssue[]): ToolRetry {
  return new ToolRetry(invalidArguments(issuesText(issues)).slice(0, 500));
}

interface Zod4Schema extends StandardSchema {
  safeParseAsync(
    value: unknown,
  ): Promise<{ readonly data?: unknown; readonly error?: { readonly issues: readonly StandardIssue[] } }>;
}

function isZod4(schema: StandardSchema): schema is Zod4Schema {
  return "_zod" in schema && "safeParseAsync" in schema;
}
