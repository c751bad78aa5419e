import { messageOf } from "../errors/agent-error.ts";
import { ToolDefinitionError, ToolError } from "../errors/run-errors.ts";
import { abortable, startTimer } from "../internal/abort.ts";
import { isObject } from "../internal/json.ts";
import { describeValue } from "../internal/option-names.ts";
import { checkValue } from "./call-tool.ts";
import {
  type ArgumentsOf,
  defineTool,
  type InputOf,
  limit,
  type ToolInputSchema,
  type ToolOptions,
} from "./define-tool.ts";
import { type AskedBefore, type JobContext, type JobReport, writeJobCallback } from "./job.ts";
import { jobNeedsSession } from "./model-texts.ts";
import { jsonCheck } from "./schema/json-check.ts";
import { isStandardSchema, issuesText } from "./schema/standard-schema.ts";
import type { Tool, ToolContext } from "./tool.ts";

/** Context of `start`. */
export interface JobStartContext<Context = unknown> extends Omit<ToolContext<Context>, "progress" | "attach"> {
  /** Names this call in a webhook's address; `session.reportJob()` and `readJobCallback()` take it. Letters, digits, `-` and `_`. */
  readonly callback: string;
  /** The earlier job that asked for approval of these arguments, if any. */
  readonly before?: AskedBefore | undefined;
}

/** What defines a job, besides the options of a tool. */
export interface JobOptions<
  Schema extends ToolInputSchema | undefined,
  OutputSchema extends ToolInputSchema | undefined,
  Context = unknown,
  Name extends string = string,
  Asked = Context,
> extends Omit<ToolOptions<Schema, JobOutput<OutputSchema>, Context, Name, false, Asked>, OwnOption> {
  /** Schema of the output: determines its type, and the check of each reported outcome. @defaultValue any JSON */
  readonly output?: OutputSchema | undefined;
  /**
   * What happens when the process dies while starting the job. `"once"`: the caller or the model decides whether it started, as
   * `unknownOutcome` says. `"idempotent"`: it starts again with the same `idempotencyKey`. @defaultValue "once"
   */
  readonly effects?: "once" | "idempotent" | undefined;
  /** Milliseconds from the start until the run stops waiting and cancels the job; `Infinity` for never. @defaultValue 21_600_000 (6 hours) */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds that one `start`, `check` or `cancel` may take. @defaultValue 60_000 */
  readonly requestTimeoutMs?: number | undefined;
  /** Milliseconds between two checks by `pollJobs()`; later a tenth of the elapsed time, five minutes at most. @defaultValue 5_000 */
  readonly checkEveryMs?: number | undefined;
  /** Starts the job elsewhere and returns its id there. Pass on `idempotencyKey` and `callback`. To fail, throw `ToolError` or `ModelRetry`. */
  start(input: InputOf<Schema>, context: JobStartContext<Context>): string | Promise<string>;
  /** Asks for the job's state; `undefined` when nothing is known. If it throws, it is called again later. @defaultValue the job reports itself */
  check?(
    jobId: string,
    context: JobContext<Context>,
  ): JobAnswer<JobWritten<OutputSchema>> | Promise<JobAnswer<JobWritten<OutputSchema>>>;
  /** Stops the job when nobody waits for it anymore. Called once. @defaultValue the job continues */
  cancel?(jobId: string, context: JobContext<Context>): unknown;
}

type OwnOption = "run" | "retry" | "endsRun" | "effects" | "timeoutMs";
type JobOutput<Schema> = Schema extends undefined ? unknown : InputOf<Schema>;
type JobWritten<Schema> = Schema extends undefined ? unknown : ArgumentsOf<Schema>;
type JobAnswer<Output> = JobReport<Output> | undefined;

const SIX_HOURS = 6 * 60 * 60 * 1000;

/**
 * Defines a tool that starts work elsewhere, which takes minutes or hours. The run waits for it without a process: it ends with
 * `needs-outcome`, and continues once the outcome is reported or a check finds it. Needs a session or a durable engine.
 *
 * @throws {ToolDefinitionError} As `defineTool()`.
 * @example
 * ```ts
 * const research = defineJob({
 *   name: "research",
 *   description: "Researches a question on the web. Takes up to an hour.",
 *   input: z.object({ question: z.string() }),
 *   start: ({ question }, { idempotencyKey, callback }) => lab.start({ question, key: idempotencyKey, hook: `${url}/${callback}` }),
 *   check: (jobId) => lab.status(jobId),
 *   cancel: (jobId) => lab.cancel(jobId),
 * });
 * ```
 */
export function defineJob<
  Schema extends ToolInputSchema | undefined = undefined,
  OutputSchema extends ToolInputSchema | undefined = undefined,
  Context = unknown,
  const Name extends string = string,
  Asked = unknown,
>(
  spec: JobOptions<Schema, OutputSchema, Context, Name, Asked>,
): Tool<InputOf<Schema>, JobOutput<OutputSchema>, Context & Asked, Name, ArgumentsOf<Schema>, false>;
// Callers see only the signature above, so TypeScript reports a mistake at its place.
export function defineJob(spec: JobOptions<ToolInputSchema | undefined, ToolInputSchema | undefined>): Tool {
  if (!isObject(spec)) throw new ToolDefinitionError("defineJob() takes one object: { name, description, start }", "");
  // oxlint-disable-next-line typescript/unbound-method -- only looked at
  const { start, check, cancel, output, timeoutMs = SIX_HOURS, requestTimeoutMs, checkEveryMs = 5_000, ...rest } = spec;
  const { name, effects = "once" } = rest;
  const problem =
    (["run", "retry", "endsRun"] as const).flatMap((one) => (one in rest ? `${one} is not for jobs` : []))[0] ??
    (start === undefined ? "it needs start: a function" : describeValue("start", start, [], "function")) ??
    describeValue("check", check, [], "function") ??
    describeValue("cancel", cancel, [], "function") ??
    describeValue("effects", effects, ["once", "idempotent"]);
  if (problem !== undefined) throw new ToolDefinitionError(`tool "${name}": ${problem}`, name);
  const tool = defineTool({ ...rest, effects, timeoutMs: requestTimeoutMs });
  const schema = output === undefined || isStandardSchema(output) ? output : jsonCheck(output);
  const parseOutput = (given: unknown): Promise<unknown> =>
    checkValue(schema, given, (issues) => new TypeError(`the output of ${name}: ${issuesText(issues)}`));
  return {
    ...tool,
    external: false,
    run: () => {
      throw new ToolError(jobNeedsSession(name));
    },
    job: {
      timeoutMs: limit(name, "timeoutMs", timeoutMs, 1),
      checkEveryMs: limit(name, "checkEveryMs", checkEveryMs, 1),
      parseOutput,
      start: async (input, context, number, before) => {
        const callback = writeJobCallback({ ...context, number });
        const jobId: unknown = await spec.start(input, { ...context, callback, ...(before && { before }) });
        if (typeof jobId === "string" && jobId !== "") return jobId;
        throw new TypeError(`start() of "${name}" must return the job's id as a non-empty string`);
      },
      ...(check !== undefined && {
        check: async (jobId, context) => {
          const found = await inTime(tool.timeoutMs, context, async (own) => spec.check?.(jobId, own));
          if (found === undefined || !("output" in found)) return found;
          // Asking again would return the same output.
          const parsed = parseOutput(found.output).then((given) => ({ output: given }));
          return await parsed.catch((error: unknown) => ({ error: messageOf(error) }));
        },
      }),
      ...(cancel !== undefined && {
        cancel: (jobId, context) =>
          inTime(tool.timeoutMs, context, async (own) => void (await spec.cancel?.(jobId, own))).catch(messageOf),
      }),
    },
  };
}

/** Runs work with a time limit. Rejects with its error, when the time is up, and when the signal aborts. */
async function inTime<T>(ms: number, context: JobContext, work: (own: JobContext) => Promise<T>): Promise<T> {
  const time = new AbortController();
  const late = new DOMException(`no answer within ${ms} ms`, "TimeoutError");
  const stop = ms === Infinity ? undefined : startTimer(ms, () => time.abort(late));
  const signal = AbortSignal.any([context.signal, time.signal]);
  try {
    return await abortable(work({ ...context, signal }), signal);
  } finally {
    stop?.();
  }
}
