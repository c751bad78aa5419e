import { ConfigurationError, messageOf } from "../errors/agent-error.ts";
import { OutputMissingError } from "../errors/run-errors.ts";
import { isTooDeep, MAX_LEVELS } from "../internal/json.ts";
import { checkValue } from "../tool/call-tool.ts";
import { jsonCheck } from "../tool/schema/json-check.ts";
import { isStandardSchema, issuesText } from "../tool/schema/standard-schema.ts";
import type { OutputPlan } from "../loop/loop-input.ts";
import type { FinishedRun, RunResult } from "../loop/result.ts";
import type { ToolCall } from "../tool/tool-call.ts";
import type { MixedTools } from "../grounding/delegate.ts";
import type { Model } from "../model/model.ts";
import { declareSchema } from "../tool/schema/declare.ts";
import type { OutputSchema } from "./options.ts";

/**
 * Decides how an answer is made to match a schema. `loop/turn/model-turn.ts` asks again for one that does not match.
 *
 * @throws {ConfigurationError} When the model cannot answer in JSON at all.
 */
export function planOutput(
  schema: OutputSchema,
  { id, capabilities }: Model,
  { toolset, delegates }: MixedTools,
): OutputPlan {
  if (!capabilities.jsonOutput)
    throw new ConfigurationError(`${id} cannot answer in JSON: leave \`output\` out, or use a text model`);
  // Citations of built-in tools, native or delegated, only survive in prose.
  const hasBuiltIns = delegates || toolset.builtIns.length > 0;
  return {
    ...describeOutput(schema),
    native: !hasBuiltIns && (toolset.functions.length === 0 || capabilities.outputWithFunctions),
  };
}

/** The schema of an answer, and its check. */
export function describeOutput(schema: OutputSchema): Pick<OutputPlan, "schema" | "parse"> {
  const declared = schema === "json" ? undefined : declareSchema(schema);
  const check = isStandardSchema(schema) ? schema : declared && jsonCheck(declared.source);
  return { schema: declared?.schema, parse: (text) => parseOutput(check, text) };
}

/**
 * Narrows a result to a finished run, which has its output.
 *
 * @throws {OutputMissingError} When the run did not finish; the message says how it ended, and why.
 * @example
 * ```ts
 * const { output } = finished(await agent.run("Plan three days in Rome.", { output: trip }));
 * console.log(output.city);
 * ```
 */
export function finished<Output, Calls extends ToolCall>(result: RunResult<Output, Calls>): FinishedRun<Output, Calls> {
  if (result.stopReason === "finished") return result;
  const { stopReason, turns, usage } = result;
  const why = whyEnded(result);
  throw new OutputMissingError(
    `the run did not finish: it ended with "${stopReason}"${why === undefined ? "" : ` (${why})`}, after ${turns} turn(s) and ${usage.requests} request(s)`,
    stopReason,
  );
}

function whyEnded(result: RunResult<unknown>): string | undefined {
  switch (result.stopReason) {
    case "limit":
      return `${result.limit.name}: ${result.limit.used} of ${result.limit.limit}`;
    case "invalid-output":
      return result.problem;
    case "guardrail":
      return `${result.guardrail.name}: ${result.guardrail.reason}`;
    case "needs-approval":
    case "needs-outcome":
      return result.pending.map(({ call }) => call.name).join(", ");
    case "blocked":
    case "bad-call":
    case "unknown-finish":
      return result.finishReason;
    default:
      return undefined;
  }
}

async function parseOutput(
  check: Parameters<typeof checkValue>[0],
  text: string,
): Promise<{ ok: true; value: unknown } | { ok: false; problem: string }> {
  let value: unknown;
  try {
    value = JSON.parse(withoutFence(text));
  } catch (error) {
    return { ok: false, problem: `not JSON: ${messageOf(error)}`.slice(0, 300) };
  }
  if (isTooDeep(value))
    return { ok: false, problem: `the JSON nests more than ${MAX_LEVELS} levels of lists and objects` };
  try {
    return { ok: true, value: await checkValue(check, value, (issues) => new Error(issuesText(issues))) };
  } catch (error) {
    return { ok: false, problem: messageOf(error) };
  }
}

/** Some models wrap JSON in a Markdown fence even when asked for bare JSON. One expression for both ends would take quadratic time. */
function withoutFence(text: string): string {
  const trimmed = text.trim();
  const opening = /^```(?:json)?[^\S\n]*\n/.exec(trimmed)?.[0];
  if (opening === undefined || !trimmed.endsWith("```")) return text;
  return trimmed.slice(opening.length, -"```".length);
}
