import { ModelRetry } from "../errors/run-errors.ts";
import { sleep, startTimer } from "../internal/abort.ts";
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
  triedTimes,
} from "./model-texts.ts";
import { hasDefaults, type JsonCheck, withDefaults } from "./schema/json-check.ts";
import { isStandardSchema, issuesText, type StandardIssue, type StandardSchema } from "./schema/standard-schema.ts";
import type { ToolRetries } from "./tool-settings.ts";
import type { Tool, ToolContext, ToolErrorKind, ToolOutcome } from "./tool.ts";

/** Links a running call with the code that watches it. */
export interface CallControl {
  /** A person has cancelled the call. */
  isCancelled?: boolean | undefined;
  /** Ends the call; set once it runs. */
  cancel?: (() => void) | undefined;
  /** Answers in place of the tool, once its arguments are checked; `undefined` runs it. */
  answer?: (() => Promise<ToolOutcome | undefined>) | undefined;
  /** The tool's validated input; absent until it runs. */
  ran?: { readonly input: unknown } | undefined;
  /** Called before each wait of the tool's `retry` policy, which begins when it resolves. Must not reject. */
  onRetry?: ((notice: ToolRetryNotice) => void | Promise<void>) | undefined;
  /** Called with the error of an attempt, unless it only reports invalid arguments. Must not throw. */
  onThrow?: ((error: unknown, attempt: number) => void) | undefined;
}

/** A failed attempt that another one follows. */
export interface ToolRetryNotice {
  /** Number of the attempt that failed, from 1. */
  readonly attempt: number;
  readonly delayMs: number;
  /** As the model would read it. */
  readonly error: { readonly kind: ToolErrorKind; readonly message: string };
}

interface Attempt {
  readonly outcome: ToolOutcome;
  /** What `run` threw, or its timeout; absent when there is nothing to retry. */
  readonly thrown?: { readonly error: unknown } | undefined;
}

/**
 * Looks up the tool, validates the arguments and runs the call. Never rejects. Resolves as soon as the run is aborted or the tool times
 * out, even if the tool ignores its signal. The tool gets copies: its changes never reach the history.
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
  const ended = await withinLimit(
    context.signal,
    limitMs,
    (signal, cancel) => {
      control.cancel = cancel;
      return retry === undefined
        ? runTool(tool, call, limitContext(context, call, signal, 1), control)
        : runRepeatedly(tool, retry, call, { ...context, signal }, control);
    },
    (why) => interrupted(tool, why, limitMs),
  );
  return ended.outcome;
}

/** The outcome of an interrupted call. It may have taken effect anyway; without a note, the model would call again. */
function interrupted({ name, effects }: Tool, why: Interruption, limitMs: number): Attempt {
  const unknown = effects === "once" ? `; ${OUTCOME_UNKNOWN}` : "";
  if (why === "timeout")
    return { outcome: failure(why, timedOut(name, limitMs) + unknown), thrown: { error: timeoutError(limitMs) } };
  return { outcome: failure("cancelled", (why === "aborted" ? CANCELLED : CANCELLED_BY_USER) + unknown) };
}

/** Makes attempts, each with its own time limit, until one succeeds or none is left. Never rejects. An abort ends a wait. */
async function runRepeatedly(
  tool: Tool,
  policy: ToolRetries,
  call: FunctionCall,
  context: Omit<ToolContext, "attempt">,
  control: CallControl,
): Promise<Attempt> {
  const { onRetry } = control;
  const { signal } = context;
  const { timeoutMs } = tool;
  for (let attempt = 1; ; attempt++) {
    const { outcome, thrown } = await withinLimit(
      signal,
      timeoutMs,
      (limited) => runTool(tool, call, limitContext(context, call, limited, attempt), control),
      (why) => interrupted(tool, why, timeoutMs),
    );
    if (outcome.ok || thrown === undefined || signal.aborted) return { outcome };
    try {
      const { when = (error: unknown) => !isPlanned(error), minDelayMs, maxDelayMs } = policy;
      if (attempt < policy.maxAttempts && (await when(thrown.error, attempt))) {
        const delayMs = Math.round(Math.min(maxDelayMs, minDelayMs * 2 ** (attempt - 1)) * (1 - Math.random() / 2));
        await onRetry?.({ attempt, delayMs, error: { kind: outcome.kind, message: outcome.message } });
        await sleep(delayMs, signal);
        continue;
      }
    } catch (error) {
      if (!signal.aborted) report(error, "deciding on a retry", tool, context);
    }
    return { outcome: attempt === 1 ? outcome : { ...outcome, message: triedTimes(outcome.message, attempt) } };
  }
}

/** True for errors that a tool throws to tell the model something. */
function isPlanned(error: unknown): boolean {
  return isNamed(error, "ModelRetry") || isNamed(error, "ToolError");
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

/** Never rejects: after a timeout, nobody awaits it. */
async function runTool(tool: Tool, call: FunctionCall, context: ToolContext, control: CallControl): Promise<Attempt> {
  let stage = "checking the arguments";
  try {
    const input = await tool.parse(copyJson(call.args ?? {}));
    stage = "running";
    if (context.signal.aborted) return { outcome: failure("cancelled", CANCELLED) };
    control.ran = { input };
    const given = control.answer && (await control.answer());
    if (given !== undefined) return { outcome: given };
    const result = tool.run(input, context);
    return { outcome: { ok: true, output: isGenerator(result) ? await drain(result, context) : await result } };
  } catch (error) {
    // A tool that was aborted may throw; the call already has its answer.
    if (!isPlanned(error) && !context.signal.aborted) report(error, stage, tool, context);
    if ((stage === "running" || !isPlanned(error)) && !context.signal.aborted)
      control.onThrow?.(error, context.attempt);
    return { outcome: describeFailure(tool, error), ...(stage === "running" && { thrown: { error } }) };
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

/** Logs an error in the author's code, which the model does not read. Never throws. */
export function report(
  error: unknown,
  stage: string,
  tool: Pick<Tool, "name">,
  { logger, callId }: Pick<ToolContext, "logger" | "callId">,
): void {
  try {
    logger.error({ err: error, tool: tool.name, callId, stage }, "tool failed");
  } catch {
    // A failing logger must not fail the run.
  }
}

/** Why a call ended without its tool: its run was aborted, its time was up, or a person cancelled it. */
type Interruption = "aborted" | "timeout" | "cancelled";

/** Runs work with its own signal; when that aborts, it resolves at once with the value of `over`. @param work - Must not reject. */
function withinLimit<T>(
  outer: AbortSignal,
  timeoutMs: number,
  work: (signal: AbortSignal, cancel: () => void) => Promise<T>,
  over: (why: Interruption) => T,
): Promise<T> {
  return new Promise((resolve) => {
    const controller = new AbortController();
    const end = (ended: T): void => {
      stop?.();
      outer.removeEventListener("abort", onAbort);
      resolve(ended);
    };
    const interrupt = (why: Interruption, reason: unknown): void => {
      end(over(why));
      controller.abort(reason);
    };
    const onAbort = (): void => interrupt("aborted", outer.reason);
    outer.addEventListener("abort", onAbort, { once: true });
    const onTimeout = (): void => interrupt("timeout", timeoutError(timeoutMs));
    const stop = timeoutMs === Infinity ? undefined : startTimer(timeoutMs, onTimeout);
    const onCancel = (): void => interrupt("cancelled", new DOMException("the call was cancelled", "AbortError"));
    void work(controller.signal, onCancel).then(end);
  });
}

function timeoutError(timeoutMs: number): DOMException {
  return new DOMException(`no answer within ${timeoutMs} ms`, "TimeoutError");
}

/**
 * Makes the function that validates a call's arguments, after filling in the schema's defaults. It throws {@link ModelRetry} with at most
 * five problems in 500 characters.
 * @param source - The same schema as JSON Schema. @param json - Without it, arguments of a plain JSON
 * Schema only have to be an object.
 */
export function buildParser(
  schema: unknown,
  source: JsonSchema,
  json: JsonCheck | undefined,
): (args: unknown) => Promise<unknown> {
  const standard = isStandardSchema(schema) ? schema : undefined;
  const parse = (args: unknown): Promise<unknown> =>
    standard !== undefined || isObject(args)
      ? checkValue(
          standard ?? json,
          args,
          (issues) => new ModelRetry(invalidArguments(issuesText(issues)).slice(0, 500)),
        )
      : Promise.reject(new ModelRetry(invalidArguments(ARGUMENTS_NOT_OBJECT)));
  return hasDefaults(source) ? (args) => parse(withDefaults(args, source, source)) : parse;
}

/** The value as parsed by a schema; unchanged without one. @throws The error that `fail` makes of the issues, and errors of the schema's code. */
export async function checkValue(
  schema: StandardSchema | JsonCheck | undefined,
  value: unknown,
  fail: (issues: readonly StandardIssue[]) => Error,
): Promise<unknown> {
  if (schema === undefined) return value;
  if ("issuesOf" in schema) {
    const issues = await schema.issuesOf(value);
    if (issues.length > 0) throw fail(issues);
    return value;
  }
  // Zod 4's synchronous parse first compiles the schema to code: that costs about fifty parses, and some runtimes forbid it.
  if ("_zod" in schema && "safeParseAsync" in schema) {
    const { data, error } = await (schema as Zod4Schema).safeParseAsync(value);
    if (error !== undefined) throw fail(error.issues);
    return data;
  }
  const checked = await schema["~standard"].validate(value);
  if (checked.issues !== undefined) throw fail(checked.issues);
  return checked.value;
}

interface Zod4Schema extends StandardSchema {
  safeParseAsync(
    value: unknown,
  ): Promise<{ readonly data?: unknown; readonly error?: { readonly issues: readonly StandardIssue[] } }>;
}
