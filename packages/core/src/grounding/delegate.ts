import { ConfigurationError } from "../errors/agent-error.ts";
import type { ModelCapabilities } from "../wire/known-models.ts";
import { ToolError, ModelRetry } from "../errors/run-errors.ts";
import { asList, asObject, present } from "../internal/json.ts";
import { defineTool } from "../tool/define-tool.ts";
import { delegateArgumentMissing, delegateEmpty, type DelegateTexts, delegates } from "../tool/model-texts.ts";
import { isPrivate, usualRead } from "../tool/reads.ts";
import type { AnyTool, BuiltInName, BuiltInTool, Tool, ToolContext } from "../tool/tool.ts";
import { buildToolset, type Toolset } from "../tool/toolset.ts";
import type { JsonSchema } from "../wire/types/declaration.ts";
import type { Source } from "./sources.ts";

type Address = Pick<Source, "uri" | "title">;

/** What a built-in tool's own request returned. */
export interface DelegatedAnswer {
  readonly text: string;
  readonly sources: readonly Address[];
  /** Why that request ended. */
  readonly stopReason?: string | undefined;
}

/** Sends a request with only this built-in tool and the prompt, and reports it through {@link ToolContext.attach}. May throw, as any tool. */
export type RunBuiltIn = (builtIn: BuiltInTool, prompt: string, context: ToolContext) => Promise<DelegatedAnswer>;

/** The tools of a run, in a form that its model accepts. */
export interface MixedTools {
  readonly toolset: Toolset;
  /** True when built-in tools became functions, each answered by a separate request. */
  readonly delegates: boolean;
}

/**
 * Combines functions and built-in tools on every model: unchanged if it accepts both in one request, otherwise with a function in place of
 * each built-in tool. `urlContext` fetches pages inside the request, where no person can approve it: beside a tool that may read private
 * data, it becomes a function, too.
 * @param others - Other tools of the run, which may have read something before.
 */
export function mixTools(
  tools: readonly AnyTool[],
  capabilities: ModelCapabilities,
  ask: RunBuiltIn,
  others: Iterable<AnyTool> = [],
): MixedTools {
  const functions = tools.filter((tool): tool is Tool => tool.kind === "function");
  const builtIns = tools.filter((tool): tool is BuiltInTool => tool.kind === "built-in");
  const lookups = builtIns.filter(({ name }) => name === "urlContext");
  // A tool that decides by the call, or declares nothing, does not count.
  const readsPrivate = (tool: AnyTool): boolean => isPrivate({ reads: usualRead(tool).reads ?? "untrusted" });
  const mayLeak = lookups.length > 0 && [...tools, ...others].some(readsPrivate);
  const isMixed = builtIns.length > 0 && functions.length + (mayLeak ? lookups.length : 0) > 0;
  const delegated = isMixed && !capabilities.builtInsWithFunctions ? builtIns : mayLeak ? lookups : [];
  const kept = tools.filter((tool) => tool.kind === "function" || !delegated.includes(tool));
  return {
    toolset: buildToolset(delegated.length === 0 ? tools : [...kept, ...buildDelegatedTools(delegated, ask)]),
    delegates: delegated.length > 0,
  };
}

/** Makes a function of each built-in tool. @throws {ConfigurationError} For a tool that makes no sense alone (`computerUse`). */
export function buildDelegatedTools(builtIns: readonly BuiltInTool[], run: RunBuiltIn): Tool[] {
  return builtIns.map((builtIn) => buildDelegatedTool(builtIn, run));
}

const DELEGATES: { readonly [Name in BuiltInName]?: DelegateTexts } = delegates;
const TIMEOUT_MS = 120_000;
/** Fields that are lists of strings; the others are strings. */
const LISTS: ReadonlySet<string> = new Set(["urls"]);

function buildDelegatedTool(builtIn: BuiltInTool, run: RunBuiltIn): Tool {
  const delegate = DELEGATES[builtIn.name];
  if (delegate === undefined)
    throw new ConfigurationError(
      `this model does not accept ${builtIn.name} and functions in one request; use a newer model, or remove one of them`,
    );
  const { name, description, fields } = delegate;
  const tool = defineTool({
    name,
    description,
    input: buildSchema(fields),
    timeoutMs: TIMEOUT_MS,
    maxModelRetries: 2,
    effects: "none",
    ...present({ reads: builtIn.reads, reach: builtIn.reach }),
    // These are the service's errors, without keys; the model must know whether to call again.
    exposeErrors: true,
    // Without the numbers of sources: a nested run counts its own separately from the run that reads this.
    run: async (input, context) => {
      const prompt = Object.keys(fields).map((field) => [asObject(input)[field]].flat().join("\n"));
      const { text, sources, stopReason } = await run(builtIn, prompt.join("\n\n"), context);
      if (text.trim() === "") throw new ToolError(delegateEmpty(name, stopReason));
      return { answer: text, sources: sources.map(({ title, uri }) => present({ title, uri })) };
    },
  });
  return { ...tool, builtIn: builtIn.name, parse: (args) => parseFields(delegate, args) };
}

function buildSchema(fields: DelegateTexts["fields"]): JsonSchema {
  const properties = Object.entries(fields).map(([name, description]) => [
    name,
    LISTS.has(name) ? { type: "array", items: { type: "string" }, description } : { type: "string", description },
  ]);
  return { type: "object", properties: Object.fromEntries(properties), required: Object.keys(fields) };
}

function parseFields({ name, fields }: DelegateTexts, args: unknown): Record<string, unknown> {
  const given = Object.entries(asObject(args)).filter(([field]) => Object.hasOwn(fields, field));
  const input = Object.fromEntries(given);
  for (const field of Object.keys(fields)) {
    const value = input[field];
    const isRight = LISTS.has(field) ? asList(value).length > 0 && asList(value).every(isText) : isText(value);
    if (!isRight) throw new ModelRetry(delegateArgumentMissing(name, field, LISTS.has(field)));
  }
  return input;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "";
}
