import { ToolRetry } from "../errors/run-errors.ts";
import { startTimer } from "../internal/abort.ts";
import { copyJson, isObject } from "../internal/json.ts";
import type { FunctionCall } from "../wire/types/content.ts";
import type { JsonSchema } from "../wire/types/declaration.ts";
import { describeFailure, describeUnknownTool, failure, isNamed } from "./call-failure.ts";
import { jsonSafe } from "./function-response.ts";
import {
  ARGUMENTS_NOT_OBJECT,
  CANCELLED,
  CANCELLED_BY_USER,
  invalidArguments,
  OUTCOME_UNKNOWN,
  timedOut,
} from "./model-texts.ts";
import { hasDefaults, withDefaults } from "./schema/defaults.ts";
import type { JsonCheck } from "./schema/json-check.ts";
import { isStandardSchema, issuesText, type StandardIssue, type StandardSchema } from "./schema/standard-schema.ts";
import { type AttemptEnd, retryCall, type ToolRetryNotice } from "./retry-call.ts";
import type { ToolRetries } from "./retry-policy.ts";
import type { Tool, ToolContext, ToolOutcome } from "./tool.ts";

/** The link between a call that runs and whoever watches it. */
export interface CallControl {
  /** A person has cancelled the call. */
  isCancelled?: boolean | undefined;
  /** Ends the call; set once it runs. */
  cancel?: (() => void) | undefined;
  /** Called before each wait of the tool's `retry` policy, which begins when it resolves. Must not reject. */
  onRetry?: ((notice: ToolRetryNotice) => void | Promise<void>) | undefined;
}

/**
 * Looks up the tool, validates the arguments and runs the call. Never rejects, so a batch can be started before it is awaited.
 *
 * Resolves as soon as the run is aborted or the tool times out, even if the tool ignores its signal; what it does afterwards
 * is ignored. The tool gets copies: its changes never reach the history.
 *
 * @param context - Context of the call; the tool's `signal` also aborts on its timeout.
 * @param control - Reports attempts, and receives the function that cancels the call.
 */
export async function callTool(
  tools: ReadonlyMap<string, Tool>,
  call: FunctionCall,
  context: Omit<ToolContext, "attempt">,
  control: CallControl = {},
): Promise<ToolOutcome> {
  const tool = tools.get(call.name);
  if (context.signal.aborted) return failure("cancelled", CANCELLED);
  if (control.isCancelled === true) return failure("cancelled", CANCELLED_BY_USER);
  if (tool === undefined) return failure("not-found", describeUnknownTool(call.name, [...tools.keys()]));
  const { retry } = tool;
  const limitMs = retry === undefined ? tool.timeoutMs : retry.totalTimeoutMs;
  const ended = await new Promise<ToolOutcome | Interruption>((resolve) => {
    const limit = startTimeLimit(context.signal, limitMs, resolve);
    control.cancel = limit.cancel;
    const work =
      retry === undefined
        ? runTool(tool, call, limitContext(context, call, limit.signal, 1))
        : runRepeatedly(tool, retry, call, { ...context, signal: limit.signal }, control);
    void work.then((outcome) => {
      limit.end();
      resolve(outcome);
    });
  });
  // The call may have taken effect anyway; a model that is not told would call again.
  const unknown = tool.effects === "once" ? `; ${OUTCOME_UNKNOWN}` : "";
  if (ended === "aborted") return failure("cancelled", CANCELLED + unknown);
  if (ended === "cancelled") return failure("cancelled", CANCELLED_BY_USER + unknown);
  if (ended === "timeout") return failure("timeout", timedOut(tool.name, limitMs) + unknown);
  return ended;
}

/** Attempts of a tool with a `retry` policy, each with its own time limit. Never rejects. */
function runRepeatedly(
  tool: Tool,
  policy: ToolRetries,
  call: FunctionCall,
  context: Omit<ToolContext, "attempt">,
  { onRetry = () => {} }: CallControl,
): Promise<ToolOutcome> {
  const attempt = async (number: number): Promise<AttemptEnd> => {
    let thrown: AttemptEnd["thrown"];
    const onThrow = (error: unknown): void => {
      thrown = { error, isForModel: isNamed(error, "ToolFailure") || isNamed(error, "ToolRetry") };
    };
    const ended = await new Promise<ToolOutcome | Interruption>((resolve) => {
      const limit = startTimeLimit(context.signal, tool.timeoutMs, resolve);
      void runTool(tool, call, limitContext(context, call, limit.signal, number), onThrow).then((outcome) => {
        limit.end();
        resolve(outcome);
      });
    });
    if (ended === "timeout")
      return {
        outcome: failure("timeout", timedOut(tool.name, tool.timeoutMs)),
        thrown: { error: timeoutError(tool.timeoutMs), isForModel: false },
      };
    // The caller has its answer already when the whole call was interrupted.
    return { outcome: typeof ended === "string" ? failure("cancelled", CANCELLED) : ended, thrown };
  };
  const onError = (error: unknown): void => report(error, "deciding on a retry", tool, context);
  return retryCall(policy, context.signal, attempt, onRetry, onError);
}

/** The context the tool gets: a copy of the call, the tool's own signal, and progress that never rejects. */
function limitContext(
  context: Omit<ToolContext, "attempt">,
  call: FunctionCall,
  signal: AbortSignal,
  attempt: number,
): ToolContext {
  let copy: FunctionCall | undefined;
  return {
    ...context,
    attempt,
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

/**
 * Never rejects: after a timeout, nobody awaits it.
 *
 * @param onThrow - Called with what the tool's own function threw.
 */
async function runTool(
  tool: Tool,
  call: FunctionCall,
  context: ToolContext,
  onThrow?: (error: unknown) => void,
): Promise<ToolOutcome> {
  let stage = "checking the arguments";
  try {
    const input = await tool.parse(copyJson(call.args ?? {}));
    stage = "running";
    if (context.signal.aborted) return failure("cancelled", CANCELLED);
    const result = tool.run(input, context);
    return { ok: true, output: isGenerator(result) ? await drain(result, context) : await result };
  } catch (error) {
    if (stage === "running") onThrow?.(error);
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

function report(
  error: unknown,
  stage: string,
  tool: Tool,
  { logger, callId }: Pick<ToolContext, "logger" | "callId">,
): void {
  try {
    logger.error({ err: error, tool: tool.name, callId, stage }, "tool failed");
  } catch {
    // A failing logger must not fail the run.
  }
}

/** A signal with a time limit. */
interface TimeLimit {
  /** Aborts with the outer signal's reason, or with a `TimeoutError`. */
  readonly signal: AbortSignal;
  /** Aborts the signal. */
  readonly cancel: () => void;
  /** Clears the timer and the listener. */
  end(): void;
}

/** Why a call ended without its tool: its run was aborted, its time was up, or a person cancelled it. */
type Interruption = "aborted" | "timeout" | "cancelled";

/** @param onOver - Called before the signal aborts. */
function startTimeLimit(outer: AbortSignal, timeoutMs: number, onOver: (why: Interruption) => void): TimeLimit {
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
    controller.abort(timeoutError(timeoutMs));
  };
  const cancel = (): void => {
    end();
    onOver("cancelled");
    controller.abort(new DOMException("the call was cancelled", "AbortError"));
  };
  outer.addEventListener("abort", onAbort, { once: true });
  const stop = timeoutMs === Infinity ? undefined : startTimer(timeoutMs, onTimeout);
  return { signal: controller.signal, cancel, end };
}

function timeoutError(timeoutMs: number): DOMException {
  return new DOMException(`no answer within ${timeoutMs} ms`, "TimeoutError");
}

/**
 * Makes the function that validates a call's arguments. What a call leaves out takes the default that the schema has for it. The
 * function throws {@link ToolRetry} with at most five problems in at most 500 characters.
 *
 * @param source - The same schema as JSON Schema.
 * @param json - Checks arguments of a plain JSON Schema; without it, they only have to be an object.
 */
export function buildParser(
  schema: unknown,
  source: JsonSchema,
  json: JsonCheck | undefined,
): (args: unknown) => Promise<unknown> {
  const parse = isStandardSchema(schema) ? buildCheck(schema) : (args: unknown) => checkJson(json, args);
  return hasDefaults(source) ? (args) => parse(withDefaults(args, source, source)) : parse;
}

function buildCheck(schema: StandardSchema): (args: unknown) => Promise<unknown> {
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

async function checkJson(json: JsonCheck | undefined, args: unknown): Promise<unknown> {
  if (!isObject(args)) throw new ToolRetry(invalidArguments(ARGUMENTS_NOT_OBJECT));
  const issues = (await json?.issuesOf(args)) ?? [];
  if (issues.length > 0) throw argumentsError(issues);
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
