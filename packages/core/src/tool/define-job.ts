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

/** Context of a job that starts. */
export interface JobStartContext<Context = unknown> extends Omit<ToolContext<Context>, "progress" | "attach"> {
  /** Stands for this call, for the address of a webhook: `session.reportJob()` and `readJobCallback()` take it. Letters, digits, `-` and `_`. */
  readonly callback: string;
  /** The job that asked for the approval of these arguments; absent unless one has. */
  readonly before?: AskedBefore | undefined;
}

/** What defines a job. The rest is as for a tool. */
export interface JobOptions<
  Schema extends ToolInputSchema | undefined,
  OutputSchema extends ToolInputSchema | undefined,
  Context = unknown,
  Name extends string = string,
  Asked = Context,
> extends Omit<ToolOptions<Schema, JobOutput<OutputSchema>, Context, Name, false, Asked>, OwnOption> {
  /** Schema of the output: determines its type, and the check of each outcome that is reported. @defaultValue any JSON */
  readonly output?: OutputSchema | undefined;
  /**
   * What happens when the process dies while the job is being started. `"once"`: somebody is asked, or the model is told, whether it was,
   * as `unknownOutcome` says. `"idempotent"`: it is started again with the same `idempotencyKey`. @defaultValue "once"
   */
  readonly effects?: "once" | "idempotent" | undefined;
  /** Milliseconds from the start until nobody waits any more, and the job is cancelled; `Infinity` for never. @defaultValue 21_600_000 (6 hours) */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds that one `start`, `check` or `cancel` may take. @defaultValue 60_000 */
  readonly requestTimeoutMs?: number | undefined;
  /** Milliseconds between two checks by `pollJobs()`; later a tenth of the time so far, five minutes at most. @defaultValue 5_000 */
  readonly checkEveryMs?: number | undefined;
  /** Starts the job elsewhere and returns its id there. Pass `idempotencyKey` and `callback` along. Throw `ToolError` or `ModelRetry`. */
  start(input: InputOf<Schema>, context: JobStartContext<Context>): string | Promise<string>;
  /** Asks how the job stands; nothing when there is nothing to say. One that throws is asked again. @defaultValue it reports by itself */
  check?(
    jobId: string,
    context: JobContext<Context>,
  ): JobAnswer<JobWritten<OutputSchema>> | Promise<JobAnswer<JobWritten<OutputSchema>>>;
  /** Stops the job, because nobody waits for it any more. Tried once. @defaultValue it goes on */
  cancel?(jobId: string, context: JobContext<Context>): unknown;
}

type OwnOption = "run" | "retry" | "endsRun" | "effects" | "timeoutMs";
type JobOutput<Schema> = Schema extends undefined ? unknown : InputOf<Schema>;
type JobWritten<Schema> = Schema extends undefined ? unknown : ArgumentsOf<Schema>;
type JobAnswer<Output> = JobReport<Output> | undefined;

const SIX_HOURS = 6 * 60 * 60 * 1000;

/**
 * Defines a tool that starts something elsewhere which takes minutes or hours, and is answered later. The run waits for it without a
 * process: it ends with `needs-outcome`, and goes on once the outcome was reported or found. Needs a session, or a durable engine.
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
// The only signature that callers see, so that a mistake is reported where it is.
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
        throw new TypeError(`start() of "${name}" must return the job's id: a text that is not empty`);
      },
      ...(check !== undefined && {
        check: async (jobId, context) => {
          const found = await inTime(tool.timeoutMs, context, async (own) => spec.check?.(jobId, own));
          if (found === undefined || !("output" in found)) return found;
          // What the service has made does not get better by asking again.
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

/** Does something within its time. Rejects with what it throws, when the time is up, and when the signal aborts. */
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
