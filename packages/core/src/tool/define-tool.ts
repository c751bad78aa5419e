import type * as z3 from "zod/v3";
import type * as z4 from "zod/v4/core";
import { ToolDefinitionError, ToolError } from "../errors/run-errors.ts";
import {
  describeUnknownOption,
  describeValue,
  findSpelling,
  namesIn,
  type OptionNames,
  type Spellings,
} from "../internal/option-names.ts";
import { fingerprint, isObject } from "../internal/json.ts";
import type { Fields, FunctionCall } from "../wire/types/content.ts";
import type { JsonSchema } from "../wire/types/declaration.ts";
import { buildParser } from "./call-tool.ts";
import type { ToolEffects, ToolRetries, ToolRetryPolicy, ToolSettings } from "./tool-settings.ts";
import { notRunHere } from "./model-texts.ts";
import { declareParameters, type DescribedSchema, NO_PARAMETERS } from "./schema/declare.ts";
import { jsonCheck } from "./schema/json-check.ts";
import { isStandardSchema, type ParsedBy, type StandardJsonSchema, type WrittenFor } from "./schema/standard-schema.ts";
import { describeTrust, type ToolTrust, TRUST, trustOf } from "./reads.ts";
import type { ApprovalContext, Tool, ToolContext } from "./tool.ts";

/** What defines a tool. `Asked` is the part of the context that `needsApproval` declares. */
export interface ToolOptions<
  Schema extends ToolInputSchema | undefined,
  Output,
  Context = unknown,
  Name extends string = string,
  Ends extends boolean = boolean,
  Asked = Context,
>
  extends Fields<ToolSettings>, ToolTrust<InputOf<Schema>, Output> {
  /** Function name the model calls: a letter or `_`, then letters, digits and `_ . : -`; at most 64 characters. */
  readonly name: Name;
  /** What the function does and when to use it: the model decides by this text whether to call it. */
  readonly description: string;
  /** Schema of the input: determines its type, the declaration sent to the service, and the check of each call. @defaultValue no input */
  readonly input?: Schema | undefined;
  /** For an input that is a raw JSON Schema: whether arguments are checked against it, or only have to be an object. @defaultValue true */
  readonly validate?: boolean | undefined;
  /** Runs the function again within the call when it fails, with the same idempotency key. Not for `effects: "once"`. @defaultValue never */
  readonly retry?: ToolRetryPolicy | undefined;
  /**
   * Whether a successful call ends the run: its output becomes the `output` of the result, as JSON, and the stop reason is `finished`.
   * The other calls of the turn are answered first. A call that fails or is denied doesn't end the run. @defaultValue false
   */
  readonly endsRun?: Ends | undefined;
  /**
   * Whether a call requires approval: always, or depending on its validated input or on the run. If it needs the run's context, declare
   * that in the third parameter: `(input, call, { context }: ApprovalContext<App>)`. @defaultValue false
   */
  readonly needsApproval?:
    | boolean
    | ((input: InputOf<Schema>, call: FunctionCall, run: ApprovalContext<Asked>) => boolean | Promise<boolean>)
    | undefined;
  /**
   * Who may answer the questions about a call, by a name that the application knows, or depending on its validated input: `"user"` is the
   * person who chats. If the function throws, it counts as absent. @defaultValue the application decides
   */
  readonly approvedBy?: string | ((input: InputOf<Schema>, call: FunctionCall) => string) | undefined;
  /** The arguments that an approval may change: all, none, or these. @defaultValue the application decides */
  readonly editable?: boolean | readonly string[] | undefined;
  /**
   * Runs the function with validated input. May be async, or an async generator: what it yields is reported as progress, what it returns
   * is the result. Throw `ToolError` or `ModelRetry` to tell the model something; any other error is logged, and the model only reads
   * that the tool failed. Declare the run's context in the second parameter: `({ context }: ToolContext<App>)`. Without `run`, the client
   * answers the calls: the run ends with `needs-outcome`, and `session.resume({ outcomes })` continues it.
   */
  run?(
    input: InputOf<Schema>,
    context: ToolContext<Context>,
  ): Output | Promise<Output> | AsyncGenerator<unknown, Output, void>;
}

/**
 * Schema of a tool's input: zod 4, zod 3, any other schema that knows its JSON Schema (ArkType's, Valibot's after
 * `toStandardJsonSchema()`, `zod3(schema)`), or a raw JSON Schema (draft 2020-12 or draft-07).
 */
export type ToolInputSchema =
  | z4.$ZodType
  | z3.ZodTypeAny
  | StandardJsonSchema
  | DescribedSchema
  | (JsonSchema & { readonly "~standard"?: undefined });

/** What a schema gives `run` as input: an empty object without a schema, `unknown` for a raw JSON Schema. */
export type InputOf<Schema> = Schema extends undefined ? Record<string, never> : ParsedBy<Schema>;

/** The arguments that the model sends for a schema, before defaults and transforms. */
export type ArgumentsOf<Schema> = Schema extends undefined ? Record<string, never> : WrittenFor<Schema>;

/**
 * Defines a function the model can call. The schema determines the type of `run`'s input, the declaration sent to the
 * service, and the validation of every call's arguments.
 *
 * @throws {ToolDefinitionError} When the service would reject the tool; names the path in the schema and the fix.
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
export function defineTool<
  Schema extends ToolInputSchema | undefined = undefined,
  Output = unknown,
  Context = unknown,
  const Name extends string = string,
  Ends extends boolean = false,
  // Separate, so that a parameter without an annotation does not fix the type of `run`'s context.
  Asked = unknown,
>(
  spec: ToolOptions<Schema, Output, Context, Name, Ends, Asked>,
): Tool<InputOf<Schema>, Output, Context & Asked, Name, ArgumentsOf<Schema>, Ends>;
// Callers see only the signature above, so TypeScript reports a mistake at its place.
export function defineTool(spec: ToolOptions<ToolInputSchema | undefined, unknown>): Tool {
  if (!isObject(spec))
    throw new ToolDefinitionError("defineTool() takes one object: { name, description, input, run }", "");
  const { name, description, input, needsApproval, approvedBy, editable } = spec;
  checkToolName(name);
  const problem =
    describeUnknownOption(spec, OPTIONS, (option) => findSpelling(SPELLINGS, option)) ??
    describeValue("validate", spec.validate, [true, false]) ??
    describeValue("effects", spec.effects, ["none", "idempotent", "once"]) ??
    describeValue("unknownOutcome", spec.unknownOutcome, ["ask", "tell-model"]) ??
    describeValue("needsApproval", needsApproval, [true, false], "function") ??
    describeApprover(approvedBy) ??
    describeEditable(editable) ??
    describeTrust(spec) ??
    // oxlint-disable-next-line typescript/unbound-method -- only looked at
    describeValue("run", spec.run, [], "function");
  if (problem !== undefined) throw new ToolDefinitionError(`tool "${name}": ${problem}`, name);
  if (typeof description !== "string" || description.trim() === "")
    throw new ToolDefinitionError(`tool "${name}" needs a description: the model uses it to decide when to call`, name);
  const { schema, source, changes } =
    input === undefined
      ? { schema: NO_PARAMETERS, source: NO_PARAMETERS, changes: [] }
      : declareParameters(input, name);
  const isRaw = input !== undefined && !isStandardSchema(input) && source === input;
  if (spec.validate === false && !isRaw)
    throw new ToolDefinitionError(`tool "${name}": validate: false is for an input that is a plain JSON Schema`, name);
  const json = isRaw && spec.validate !== false ? jsonCheck(source) : undefined;
  return {
    kind: "function",
    name,
    description,
    declaration: { name, description, parametersJsonSchema: schema },
    schemaChanges: [...changes, ...(json?.unchecked ?? [])],
    sequential: spec.sequential ?? false,
    timeoutMs: limit(name, "timeoutMs", spec.timeoutMs ?? 60_000, 1),
    maxResultBytes: limit(name, "maxResultBytes", spec.maxResultBytes ?? 65_536, 1),
    maxModelRetries: limit(name, "maxModelRetries", spec.maxModelRetries ?? 3, 0),
    effects: spec.effects ?? "idempotent",
    unknownOutcome: spec.unknownOutcome ?? "ask",
    ...(spec.retry !== undefined && { retry: readRetry(name, spec.effects, spec.retry) }),
    ...(spec.endsRun === true && { endsRun: true }),
    ...(spec.exposeErrors === true && { exposeErrors: true }),
    parse: buildParser(input, source, json),
    ...(needsApproval && { needsApproval: needsApproval === true ? () => true : needsApproval }),
    ...(spec.answerTimeoutMs !== undefined && {
      answerTimeoutMs: limit(name, "answerTimeoutMs", spec.answerTimeoutMs, 1),
    }),
    ...(approvedBy !== undefined && { approvedBy: typeof approvedBy === "string" ? () => approvedBy : approvedBy }),
    ...(editable !== undefined && { editable: editable === false ? [] : editable }),
    ...trustOf(spec),
    external: spec.run === undefined,
    run:
      spec.run?.bind(spec) ??
      (() => {
        throw new ToolError(notRunHere(name));
      }),
  };
}

const OPTIONS: OptionNames<ToolOptions<undefined, unknown>> = namesIn(
  "name description input validate sequential timeoutMs maxResultBytes maxModelRetries effects unknownOutcome retry",
  "endsRun exposeErrors needsApproval answerTimeoutMs approvedBy editable run",
  TRUST,
);

const RETRY: OptionNames<ToolRetryPolicy> = namesIn("maxAttempts minDelayMs maxDelayMs totalTimeoutMs when");

const SPELLINGS: Spellings = {
  "use input": "inputSchema parameters parametersJsonSchema schema args argsSchema input_schema",
  "use run": "execute handler func function fn callback invoke call",
  "use maxModelRetries, or retry: { maxAttempts: … }": "maxRetries retries",
  "use endsRun": "returnDirect",
  "use needsApproval": "requiresApproval requireConfirmation requiresConfirmation",
};

/** The service's messages say 64; its newest types say 128. */
const MAX_NAME_LENGTH = 64;
const NAME = /^[A-Za-z_][A-Za-z0-9_.:-]*$/;

/** Checks the name of a function. @throws {ToolDefinitionError} @see https://ai.google.dev/api/caching#FunctionDeclaration */
export function checkToolName(name: string): void {
  if (typeof name !== "string") throw new ToolDefinitionError('a tool needs a name, such as "get_weather"', "");
  if (NAME.test(name) && name.length <= MAX_NAME_LENGTH) return;
  throw new ToolDefinitionError(
    `"${name.slice(0, 80)}" cannot be a tool's name: start with a letter or underscore, then letters, digits and _ . : -, at most ${MAX_NAME_LENGTH} characters`,
    name,
  );
}

function describeApprover(given: unknown): string | undefined {
  if (typeof given !== "string") return describeValue("approvedBy", given, [], "function");
  return given.trim() === "" ? 'approvedBy must be a name, such as "user", got an empty one' : undefined;
}

function describeEditable(given: boolean | readonly string[] | undefined): string | undefined {
  const isList = Array.isArray(given) && given.every((name: unknown) => typeof name === "string");
  return isList || given === undefined || typeof given === "boolean"
    ? undefined
    : 'editable must be true, false or the names of arguments, such as ["amount"]';
}

function readRetry(name: string, effects: ToolEffects | undefined, retry: ToolRetryPolicy): ToolRetries {
  if (effects === "once")
    throw new ToolDefinitionError(
      `tool "${name}": retry runs the function again, which effects: "once" rules out: leave out one of them`,
      name,
    );
  const problem = isObject(retry) ? describeUnknownOption(retry, RETRY, () => undefined) : "it must be an object";
  if (problem !== undefined) throw new ToolDefinitionError(`tool "${name}": retry: ${problem}`, name);
  const minDelayMs = limit(name, "retry.minDelayMs", retry.minDelayMs ?? 500, 0);
  return {
    maxAttempts: limit(name, "retry.maxAttempts", retry.maxAttempts ?? 3, 1),
    minDelayMs,
    maxDelayMs: limit(name, "retry.maxDelayMs", retry.maxDelayMs ?? Math.max(30_000, minDelayMs), minDelayMs),
    totalTimeoutMs: limit(name, "retry.totalTimeoutMs", retry.totalTimeoutMs ?? Infinity, 1),
    when: retry.when,
  };
}

/** @throws {ToolDefinitionError} For a number below `least`, and for anything else. */
export function limit(tool: string, option: string, value: number, least: number): number {
  if (typeof value === "number" && value >= least) return value;
  throw new ToolDefinitionError(
    `tool "${tool}": ${option} must be a number of at least ${least}, got ${String(value)}`,
    tool,
  );
}

/** Names that every endpoint, gateway and older model accepts. */
const PORTABLE = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

/** Names that every endpoint accepts, and the mapping back. */
export interface SanitizedNames {
  /** By original name. */
  readonly sanitized: ReadonlyMap<string, string>;
  /** By sanitized name. */
  readonly original: ReadonlyMap<string, string>;
}

/** Makes valid names for third-party tools. A name that some endpoint refuses gets a hash of the whole name, so it never collides. */
export function sanitizeToolNames(names: Iterable<string>): SanitizedNames {
  const given = new Set(names);
  const sanitized = new Map([...given].filter((name) => PORTABLE.test(name)).map((name) => [name, name]));
  const original = new Map(sanitized);
  for (const name of given) {
    // Half of a hash keeps the name short; the salt resolves collisions.
    for (let salt = 0; !sanitized.has(name); salt++) {
      const plain = name.replace(/[^A-Za-z0-9_]+/g, "_").replace(/^_+|_+$/g, "");
      const started = /^[A-Za-z]/.test(plain) ? plain : `_${plain}`;
      const safe = `${started.slice(0, 54)}_${fingerprint(salt === 0 ? name : `${name}#${salt}`).slice(8)}`;
      if (original.has(safe)) continue;
      sanitized.set(name, safe);
      original.set(safe, name);
    }
  }
  return { sanitized, original };
}
