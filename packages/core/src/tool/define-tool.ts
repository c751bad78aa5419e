import type * as z3 from "zod/v3";
import type * as z4 from "zod/v4/core";
import { ToolDefinitionError, ToolFailure, ToolRetry } from "../errors/run-errors.ts";
import { isObject } from "../internal/json.ts";
import { isStandardSchema, issuesText, type StandardIssue, type StandardSchema } from "./schema/from-zod.ts";
import type { FunctionCall } from "../wire/types/content.ts";
import type { JsonSchema } from "../wire/types/declaration.ts";
import { declareParameters, type DescribedSchema, NO_PARAMETERS } from "./schema/declare.ts";
import { ARGUMENT_MISSING, ARGUMENTS_NOT_OBJECT, invalidArguments, notRunHere } from "./model-texts.ts";
import type { Tool, ToolContext, ToolEffects, UnknownOutcome } from "./tool.ts";

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
  /** Invalid calls (bad arguments, `ToolRetry`) after which the tool is disabled for the run. @defaultValue 3 */
  readonly maxRetries?: number | undefined;
  /**
   * What the function does to the world, which decides what a resumed run does with a call that a crash interrupted:
   * `none` (it reads) and `idempotent` (it hands {@link ToolContext.idempotencyKey} to a service that knows the key) are
   * run again, `once` is not. @defaultValue "idempotent"
   */
  readonly effects?: ToolEffects | undefined;
  /** For `effects: "once"`: who is asked whether an interrupted call took effect. @defaultValue "ask" */
  readonly unknownOutcome?: UnknownOutcome | undefined;
  /** Whether a person has to agree to a call first: always, or by its checked input. @defaultValue false */
  readonly needsApproval?: boolean | ((input: Input, call: FunctionCall) => boolean | Promise<boolean>) | undefined;
  /**
   * Milliseconds until a question about a call (may it run? what was the outcome?) that nobody answers is closed: the model is told
   * so, and the call is not run. Counted from when it is asked; a session checks when it is resumed. @defaultValue never
   */
  readonly answerTimeoutMs?: number | undefined;
  /**
   * Does the work with checked input. May be async. May be an async generator: what it yields is reported as progress,
   * what it returns is the result. Throws `ToolFailure` or `ToolRetry` to speak to the model; any other error is logged.
   *
   * Without it, calls are answered by the client (a browser, a phone, another service): the run ends with
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
    throw new ToolDefinitionError(`tool "${name}" needs a description: the model uses it to decide when to call`, name);
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
    parse: buildParser(input),
    ...approvalRule(spec.needsApproval),
    ...(spec.answerTimeoutMs !== undefined && {
      answerTimeoutMs: limit(name, "answerTimeoutMs", spec.answerTimeoutMs, 1),
    }),
    external: spec.run === undefined,
    run: (checked, context) => {
      if (spec.run === undefined) throw new ToolFailure(notRunHere(name));
      // The overloads tie the type of `run` to what `parse` gives.
      return spec.run(checked as never, context);
    },
  };
}

/** The service's messages say 64; its newest types say 128. */
const MAX_NAME_LENGTH = 64;
const NAME = /^[A-Za-z_][A-Za-z0-9_.:-]*$/;
/**
 * Checks the name of a function.
 *
 * @throws {ToolDefinitionError}
 * @see https://ai.google.dev/api/caching#FunctionDeclaration
 */
export function checkToolName(name: string): void {
  if (NAME.test(name) && name.length <= MAX_NAME_LENGTH) return;
  throw new ToolDefinitionError(
    `"${name.slice(0, 80)}" cannot be a tool's name: start with a letter or underscore, then letters, digits and _ . : -, at most ${MAX_NAME_LENGTH} characters`,
    name,
  );
}

function approvalRule(rule: ToolSpec<never, unknown>["needsApproval"]): Pick<Tool, "needsApproval"> {
  if (rule === undefined || rule === false) return {};
  // As with `run`: the input is what `parse` gave.
  return { needsApproval: (input, call) => (rule === true ? true : rule(input as never, call)) };
}

function limit(tool: string, option: string, value: number, least: number): number {
  if (typeof value === "number" && value >= least) return value;
  throw new ToolDefinitionError(
    `tool "${tool}": ${option} must be a number of at least ${least}, got ${String(value)}`,
    tool,
  );
}

/**
 * Checks a call's arguments with the author's schema; a raw JSON Schema is only checked for an object with the required
 * properties, since its values are not typed either.
 *
 * @throws {ToolRetry} With at most five problems in at most 500 characters.
 */
function buildParser(schema: unknown): (args: unknown) => Promise<unknown> {
  if (!isStandardSchema(schema)) return async (args) => checkObject(schema, args);
  // Its synchronous way first compiles code for the schema, which costs as much as some fifty parses, and is forbidden in places.
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

/** What every surface, gateway and older model takes. */
const PORTABLE = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

/** Names that every endpoint takes, and the way back. */
export interface SanitizedNames {
  /** By the name as given. */
  readonly sanitized: ReadonlyMap<string, string>;
  /** By the sanitized name. */
  readonly original: ReadonlyMap<string, string>;
}

/**
 * Names for tools that are only known at run time, such as an MCP server's. A name that every endpoint takes stays; any
 * other has its illegal characters replaced and a hash of the whole name appended, so that no two collide and the same
 * name always gives the same result.
 */
export function sanitizeToolNames(names: Iterable<string>): SanitizedNames {
  const sanitized = new Map<string, string>();
  const original = new Map<string, string>();
  const given = new Set(names);
  for (const name of given) if (PORTABLE.test(name)) pair(name, name);
  for (const name of given) {
    if (sanitized.has(name)) continue;
    for (let salt = 0; ; salt++) {
      const safe = `${sanitizeName(name)}_${hash(salt === 0 ? name : `${name}#${salt}`)}`;
      if (original.has(safe)) continue;
      pair(name, safe);
      break;
    }
  }
  return { sanitized, original };

  function pair(name: string, safe: string): void {
    sanitized.set(name, safe);
    original.set(safe, name);
  }
}

function sanitizeName(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_]+/g, "_").replace(/^_+|_+$/g, "");
  const started = /^[A-Za-z]/.test(plain) ? plain : `_${plain}`;
  return started.slice(0, 54);
}

/** FNV-1a, 32 bits, 8 hexadecimal digits. */
function hash(text: string): string {
  let state = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) state = Math.imul(state ^ byte, 0x01000193);
  return (state >>> 0).toString(16).padStart(8, "0");
}
