import { ConfigurationError, messageOf } from "../errors/agent-error.ts";
import { OutputMissingError } from "../errors/run-errors.ts";
import { isStandardSchema, issuesText } from "../tool/schema/from-zod.ts";
import type { OutputPlan } from "../loop/loop-input.ts";
import type { FinishedRun, RunResult } from "../loop/result.ts";
import type { ModelCapabilities } from "../model/capabilities.ts";
import { declareSchema } from "../tool/schema/declare.ts";
import type { OutputSchema } from "./options.ts";

/** What decides whether a schema can go along with the other requests of a run. */
export interface OutputFacts {
  readonly modelId: string;
  readonly capabilities: ModelCapabilities;
  readonly hasFunctions: boolean;
  /** Built-in tools, native or delegated: their citations only survive in prose. */
  readonly hasBuiltIns: boolean;
}

/**
 * Plans how an answer is made to fit a schema and how it is checked.
 *
 * @throws {ConfigurationError} When the model cannot answer in JSON at all.
 */
export function planOutput(schema: OutputSchema, facts: OutputFacts): OutputPlan {
  const { capabilities, hasFunctions, hasBuiltIns } = facts;
  if (!capabilities.jsonOutput)
    throw new ConfigurationError(`${facts.modelId} cannot answer in JSON: leave \`output\` out, or use a text model`);
  return {
    schema: schema === "json" ? undefined : declareSchema(schema, "output").schema,
    native: !hasBuiltIns && (!hasFunctions || capabilities.outputWithFunctions),
    parse: (text) => parseOutput(schema, text),
  };
}

/**
 * The finished run, with its output.
 *
 * @throws {OutputMissingError} When the run ended otherwise; the message names the stop reason.
 */
export function finished<Output>(result: RunResult<Output>): FinishedRun<Output> {
  if (result.stopReason === "finished") return result;
  throw new OutputMissingError(
    `the run did not finish: it ended with "${result.stopReason}" after ${result.turns} turn(s)`,
    result.stopReason,
  );
}

async function parseOutput(
  schema: OutputSchema,
  text: string,
): Promise<{ ok: true; value: unknown } | { ok: false; problem: string }> {
  let value: unknown;
  try {
    value = JSON.parse(withoutFence(text));
  } catch (error) {
    return { ok: false, problem: `not JSON: ${messageOf(error)}`.slice(0, 300) };
  }
  if (!isStandardSchema(schema)) return { ok: true, value };
  try {
    const checked = await schema["~standard"].validate(value);
    return checked.issues === undefined
      ? { ok: true, value: checked.value }
      : { ok: false, problem: issuesText(checked.issues) };
  } catch (error) {
    return { ok: false, problem: messageOf(error) };
  }
}

/** Some models put JSON into a Markdown fence even when they are asked for bare JSON. */
function withoutFence(text: string): string {
  const fenced = /^\s*```(?:json)?\s*\n([\s\S]*?)\n?```\s*$/.exec(text);
  return fenced?.[1] ?? text;
}
