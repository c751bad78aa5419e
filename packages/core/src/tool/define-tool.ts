import type * as z3 from "zod/v3";
import type * as z4 from "zod/v4/core";
import { ToolDefinitionError, ToolFailure } from "../errors/tool-errors.ts";
import type { FunctionCall } from "../wire/content.ts";
import type { JsonSchema } from "../wire/declaration.ts";
import { declareParameters, NO_PARAMETERS } from "./declare.ts";
import type { DescribedSchema } from "./input-schema.ts";
import { parseInput } from "./parse-input.ts";
import type { Tool, ToolContext, ToolEffects, UnknownOutcome } from "./tool.ts";
import { checkToolName } from "./tool-name.ts";

/** What every tool is made of, whatever its input is described in. */
export interface ToolSpec<Input, Output> {
  /** What the model calls: a letter or `_`, then letters, digits and `_ . : -`; at most 64 characters. */
  readonly name: string;
  /** What the function does and when to use it: the model decides by this text. */
  readonly description: string;
  /** Runs alone: no other call of the same turn runs beside it. @defaultValue false */
  readonly sequential?: boolean | undefined;
  /** Milliseconds until the call is answered with a time-out; `Infinity` for none. @defaultValue 60_000 */
  readonly timeoutMs?: number | undefined;
  /** Largest result in bytes of JSON; longer ones are cut, visibly. @defaultValue 65_536 */
  readonly maxResultBytes?: number | undefined;
  /** How often one run answers bad arguments and `ToolRetry` before the tool is closed for it. @defaultValue 3 */
  readonly maxRetries?: number | undefined;
  /**
   * What the function does to the world, which decides what a resumed run does with a call that a crash cut off:
   * `none` (it reads) and `idempotent` (it hands {@link ToolContext.idempotencyKey} to a service that knows the key) are
   * run again, `once` is not. @defaultValue "idempotent"
   */
  readonly effects?: ToolEffects | undefined;
  /** For `effects: "once"`: who is told of a call that had started and of which nobody knows whether it happened. @defaultValue "ask" */
  readonly unknownOutcome?: UnknownOutcome | undefined;
  /** Whether a person has to agree to a call first: always, or by its checked input. @defaultValue false */
  readonly needsApproval?: boolean | ((input: Input, call: FunctionCall) => boolean | Promise<boolean>) | undefined;
  /**
   * Milliseconds until a question about a call (may it run? what came of it?) that nobody outside has answered is answered for
   * them: the model is told that no answer came, and the call is not run. Counted from when it is asked; a session looks at the
   * time when it is resumed. @defaultValue never
   */
  readonly answerTimeoutMs?: number | undefined;
  /**
   * Does the work with checked input. May be async. May be an async generator: what it yields is reported as progress,
   * what it returns is the result. Throws `ToolFailure` or `ToolRetry` to speak to the model; any other error is logged.
   *
   * Without it, calls are answered from outside (a browser, a phone, another service): the run ends with
   * `needs-outcome`, and `session.resume({ outcomes })` goes on.
   */
  run?(input: Input, context: ToolContext): Output | Promise<Output> | AsyncGenerator<unknown, Output, void>;
}

/**
 * Makes a function the model can call. The schema gives the type of `run`'s input, what is sent to the service, and the
 * check of every call's arguments.
 *
 * @throws {ToolDefinitionError} When the service would refuse the tool; names the path in the schema and the fix.
 * @example
 * ```ts
 * const getWeather = defineTool({
 *   name: "get_weather",
 *   description: "Current weather in a city.",
 *   input: z.object({ city: z.string().describe("City name, English") }),
 *   run: async ({ city }, { signal }) => fetchWeather(city, signal),
 * });
 * ```
 */
export function defineTool<Schema extends z4.$ZodType, Output>(
  spec: ToolSpec<z4.output<Schema>, Output> & { readonly input: Schema },
): Tool<z4.output<Schema>, Output>;
/** With a zod 3 schema (`zod/v3`, or zod 3.25). */
export function defineTool<Schema extends z3.ZodTypeAny, Output>(
  spec: ToolSpec<z3.output<Schema>, Output> & { readonly input: Schema },
): Tool<z3.output<Schema>, Output>;
/** With a schema that brings its own JSON Schema, such as `zod3(schema)`. */
export function defineTool<Input, Output>(
  spec: ToolSpec<Input, Output> & { readonly input: DescribedSchema<Input> },
): Tool<Input, Output>;
/** Without input. */
export function defineTool<Output>(
  spec: ToolSpec<Record<string, never>, Output> & { readonly input?: undefined },
): Tool<Record<string, never>, Output>;
/** With a raw JSON Schema: only that the input is an object with the required properties is checked. */
export function defineTool<Output>(
  spec: ToolSpec<unknown, Output> & { readonly input: JsonSchema },
): Tool<unknown, Output>;
export function defineTool(spec: ToolSpec<never, unknown> & { readonly input?: unknown }): Tool {
  const { name, description, input } = spec;
  checkToolName(name);
  if (typeof description !== "string" || description.trim() === "")
    throw new ToolDefinitionError(`tool "${name}" needs a description: the model decides by it when to call`, name);
  const { schema, changes } =
    input === undefined ? { schema: NO_PARAMETERS, changes: [] } : declareParameters(input, name);
  return {
    kind: "function",
    name,
    description,
    declaration: { name, description, parametersJsonSchema: schema },
    schemaChanges: changes,
    sequential: spec.sequential ?? false,
    timeoutMs: limit(name, "timeoutMs", spec.timeoutMs ?? 60_000, 1),
    maxResultBytes: limit(name, "maxResultBytes", spec.maxResultBytes ?? 65_536, 1),
    maxRetries: limit(name, "maxRetries", spec.maxRetries ?? 3, 0),
    effects: spec.effects ?? "idempotent",
    unknownOutcome: spec.unknownOutcome ?? "ask",
    parse: (args) => parseInput(input, args),
    ...approvalOf(spec.needsApproval),
    ...(spec.answerTimeoutMs !== undefined && {
      answerTimeoutMs: limit(name, "answerTimeoutMs", spec.answerTimeoutMs, 1),
    }),
    external: spec.run === undefined,
    run: (checked, context) => {
      if (spec.run === undefined) throw new ToolFailure(`${name} is not carried out here`);
      // The overloads tie the type of `run` to what `parse` gives.
      return spec.run(checked as never, context);
    },
  };
}

function approvalOf(rule: ToolSpec<never, unknown>["needsApproval"]): Pick<Tool, "needsApproval"> {
  if (rule === undefined || rule === false) return {};
  // As with `run`: the input is what `parse` gave.
  return { needsApproval: (input, call) => (rule === true ? true : rule(input as never, call)) };
}

function limit(tool: string, option: string, value: number, least: number): number {
  if (typeof value === "number" && value >= least) return value;
  throw new ToolDefinitionError(
    `tool "${tool}": ${option} must be a number of at least ${least}, and it is ${String(value)}`,
    tool,
  );
}
