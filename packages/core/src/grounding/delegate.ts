import { ConfigurationError } from "../errors/agent-error.ts";
import type { ModelCapabilities } from "../model/capabilities.ts";
import { ToolFailure, ToolRetry } from "../errors/run-errors.ts";
import { isObject } from "../internal/json.ts";
import { defineTool } from "../tool/define-tool.ts";
import { delegateArgumentMissing, delegateEmpty, type DelegateTexts, delegates } from "../tool/model-texts.ts";
import type { AnyTool, BuiltInName, BuiltInTool, Tool, ToolContext } from "../tool/tool.ts";
import { buildToolset, type Toolset } from "../tool/toolset.ts";
import type { JsonSchema } from "../wire/types/declaration.ts";
import type { Source } from "./sources.ts";

/** What a built-in tool's own request gave. */
export interface DelegatedAnswer {
  readonly text: string;
  readonly sources: readonly Pick<Source, "uri" | "title">[];
  /** Why that request ended. */
  readonly stopReason?: string | undefined;
}

/**
 * Makes one request that holds nothing but this built-in tool and the prompt. Reports what it cost and found through
 * {@link ToolContext.attach}. May throw; the model is told as of any tool that failed.
 */
export type RunBuiltIn = (builtIn: BuiltInTool, prompt: string, context: ToolContext) => Promise<DelegatedAnswer>;

interface DelegatedResult {
  readonly answer: string;
  readonly sources: readonly { readonly title?: string | undefined; readonly uri?: string | undefined }[];
}

/** The tools of a run, in the form its model can take. */
export interface MixedTools {
  readonly toolset: Toolset;
  /** True when built-in tools became functions, each answered by a request of its own. */
  readonly delegates: boolean;
}

/**
 * Lets functions and built-in tools stand side by side on every model: as they are where one request may hold both,
 * otherwise with each built-in tool behind a function.
 */
export function mixTools(
  given: readonly AnyTool[] | (() => readonly AnyTool[]),
  capabilities: ModelCapabilities,
  ask: RunBuiltIn,
): MixedTools {
  const tools = typeof given === "function" ? given() : given;
  const functions = tools.filter((tool): tool is Tool => tool.kind === "function");
  const builtIns = tools.filter((tool): tool is BuiltInTool => tool.kind === "built-in");
  const mustDelegate = functions.length > 0 && builtIns.length > 0 && !capabilities.builtInsWithFunctions;
  return {
    toolset: buildToolset(mustDelegate ? [...functions, ...buildDelegatedTools(builtIns, ask)] : tools),
    delegates: mustDelegate,
  };
}

/**
 * Built-in tools as functions, one for each, for models that cannot take both kinds in one request.
 *
 * @throws {ConfigurationError} For a tool that makes no sense alone (`computerUse`).
 */
export function buildDelegatedTools(builtIns: readonly BuiltInTool[], run: RunBuiltIn): Tool[] {
  return builtIns.map((builtIn) => buildDelegatedTool(builtIn, run));
}

/** Milliseconds until a delegated request is given up. */
const TIMEOUT_MS = 120_000;

function buildDelegatedTool(builtIn: BuiltInTool, run: RunBuiltIn): Tool {
  const delegate = DELEGATES[builtIn.name];
  if (delegate === undefined)
    throw new ConfigurationError(
      `this model does not accept ${builtIn.name} and functions in one request; use a newer model, or remove one of them`,
    );
  const { name, description } = delegate;
  const fields = buildFields(delegate);
  const tool = defineTool({
    name,
    description,
    input: buildSchema(fields),
    timeoutMs: TIMEOUT_MS,
    maxRetries: 2,
    effects: "none",
    run: async (input, context): Promise<DelegatedResult> => {
      // What `parse` below gives.
      const { text, sources, stopReason } = await run(builtIn, buildPrompt(fields, input as DelegatedInput), context);
      if (text.trim() === "") throw new ToolFailure(delegateEmpty(name, stopReason));
      return { answer: text, sources: sources.map(pickAddress) };
    },
  });
  return { ...tool, parse: (args) => parseFields(name, fields, args) };
}

/** A field is a text, or a list of texts. */
interface DelegateField {
  readonly name: string;
  readonly type: "text" | "texts";
  readonly description: string;
}

type DelegatedInput = { readonly [field: string]: string | readonly string[] };

const DELEGATES: { readonly [Name in BuiltInName]?: DelegateTexts } = delegates;

function buildFields({ fields }: DelegateTexts): DelegateField[] {
  return Object.entries(fields).map(([name, description]) => ({
    name,
    type: name === "urls" ? "texts" : "text",
    description,
  }));
}

function buildSchema(fields: readonly DelegateField[]): JsonSchema {
  const properties = fields.map(({ name, type, description }) => [
    name,
    type === "text" ? { type: "string", description } : { type: "array", items: { type: "string" }, description },
  ]);
  return { type: "object", properties: Object.fromEntries(properties), required: fields.map(({ name }) => name) };
}

function parseFields(tool: string, fields: readonly DelegateField[], args: unknown): DelegatedInput {
  const given = isObject(args) ? args : {};
  return Object.fromEntries(
    fields.map(({ name, type }) => {
      const value = given[name];
      if (type === "text" && isText(value)) return [name, value];
      if (type === "texts" && Array.isArray(value) && value.length > 0 && value.every(isText)) return [name, value];
      throw new ToolRetry(delegateArgumentMissing(tool, name, type === "texts"));
    }),
  );
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "";
}

function buildPrompt(fields: readonly DelegateField[], input: DelegatedInput): string {
  return fields.map(({ name }) => [input[name] ?? []].flat().join("\n")).join("\n\n");
}

/** Without numbers: those of a nested run are not those of the run that reads this. */
function pickAddress({ title, uri }: Pick<Source, "uri" | "title">): {
  readonly title?: string;
  readonly uri?: string;
} {
  return { ...(title === undefined ? {} : { title }), ...(uri === undefined ? {} : { uri }) };
}
