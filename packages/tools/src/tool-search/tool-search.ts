import { type AnyTool, defineTool, ModelRetry, type Tool, type ToolFor } from "@pollux/core";
import { checkOptions } from "@pollux/core/wire";
import { z } from "zod/v4";
import { type MeaningOptions, rankByMeaning } from "./rank-by-meaning.ts";
import { rankByText } from "./rank-by-text.ts";

/** Options of {@link toolSearch}. */
export interface ToolSearchOptions {
  /**
   * Tokens that declarations may take, estimated as a quarter of their bytes of JSON. Tools stay declared, in order, until these are used up.
   * @defaultValue 4000
   */
  readonly budgetTokens?: number | undefined;
  /** Names of tools that always stay declared. @defaultValue none */
  readonly always?: readonly string[] | undefined;
  /** What the other tools are for, in a phrase such as "mail, invoices and customers": the model reads it. @defaultValue nothing */
  readonly about?: string | undefined;
  /**
   * How tools are found: `"text"` compares the words of names, descriptions and parameters (BM25+); `{ embed: { model } }` compares
   * meanings, and embeds all tools at the first search. @defaultValue "text"
   */
  readonly rank?: "text" | { readonly embed: MeaningOptions } | undefined;
  /** Tools per search if the model sets no limit. @defaultValue 5 */
  readonly limit?: number | undefined;
}

/** The tools that fit a query, best first; empty when none does. */
export type Rank = (query: string, limit: number, signal: AbortSignal) => Promise<readonly Tool[]> | readonly Tool[];

const OPTIONS: { readonly [Name in keyof ToolSearchOptions]-?: true } = {
  budgetTokens: true,
  always: true,
  about: true,
  rank: true,
  limit: true,
};
const DEFAULT_TOKENS = 4_000;
const BYTES_PER_TOKEN = 4;
const MAX_LIMIT = 20;
/** Most bytes of JSON in the result of a search; further schemas are left out. */
const MAX_FOUND = 48_000;
const SEARCH = "search_tools";
const CALL = "call_tool";

/** The two tools that stand in for the undeclared ones. */
export type SearchTools = Tool<unknown, unknown, unknown, typeof SEARCH | typeof CALL>;

/**
 * Gives one agent any number of tools. The tools that fit a budget of tokens stay declared; `search_tools` and `call_tool` stand in for the
 * rest. A search returns names, descriptions and schemas, so declarations stay the same and the service's cache stays valid. A call through
 * `call_tool` counts as a call of the tool it names: checked, approved, guarded, recorded and shown under that name.
 *
 * @param tools - All of an agent's functions, so that names are unique; its built-in tools are passed through.
 * @returns The same tools if they all fit.
 * @throws {TypeError} For an invalid option, a name in `always` that no tool has, and two tools with the same name.
 * @example
 * ```ts
 * const { tools } = await mcpTools({ url: "https://crm.example/mcp" });
 * const agent = new Agent({ model: "gemini-flash-latest", tools: toolSearch(tools) });
 * ```
 */
export function toolSearch<const Listed extends ToolFor<never>>(
  tools: readonly Listed[],
  options: ToolSearchOptions = {},
): readonly (Listed | SearchTools)[] {
  checkOptions("toolSearch()", options, OPTIONS);
  const { budgetTokens = DEFAULT_TOKENS, always = [], about, rank = "text", limit = 5 } = options;
  checkNumber("budgetTokens", budgetTokens, 0, Infinity);
  checkNumber("limit", limit, 1, MAX_LIMIT);
  if (rank !== "text" && typeof rank.embed?.model !== "string")
    throw new TypeError('toolSearch(): rank must be "text" or { embed: { model } }');
  // Tools of any context: this reads only their declarations. A tool that is listed twice counts once.
  const listed = [...new Set(tools)] as readonly unknown[] as readonly AnyTool[];
  const missing = always.find((name) => !listed.some((tool) => tool.name === name));
  if (missing !== undefined)
    throw new TypeError(`toolSearch(): always names "${missing}", which is not among the tools`);
  const functions = listed.filter((tool) => tool.kind === "function");
  if (tokensOf(functions) <= budgetTokens) return tools;
  const kept = new Set<AnyTool>(listed.filter((tool) => tool.kind === "built-in" || always.includes(tool.name)));
  let left = budgetTokens - tokensOf(functions.filter((tool) => kept.has(tool)));
  for (const tool of functions) {
    if (kept.has(tool)) continue;
    left -= tokensOf([tool]);
    if (left < 0) break;
    kept.add(tool);
  }
  const hidden = functions.flatMap((tool): Tool[] => (kept.has(tool) ? [] : [{ ...tool, undeclared: true }]));
  if (hidden.length === 0) return tools;
  const byName = new Map(hidden.map((tool) => [tool.name, tool]));
  if (byName.size < hidden.length) {
    const twice = hidden.find((tool) => byName.get(tool.name) !== tool)?.name;
    throw new TypeError(`toolSearch(): two tools are named "${twice}": rename one, or give its MCP server a prefix`);
  }
  const ranked = rank === "text" ? rankByText(hidden) : rankByMeaning(hidden, rank.embed);
  const find: Rank = async (query, most, signal) => {
    const named = byName.get(query.trim());
    const found = await ranked(query, most, signal);
    return named === undefined ? found : [named, ...found.filter((tool) => tool !== named)].slice(0, most);
  };
  const all = [...listed.filter((tool) => kept.has(tool)), searchTools(find, limit, about), callTool(), ...hidden];
  // The given tools, and the two that stand in.
  return all as readonly unknown[] as readonly (Listed | SearchTools)[];
}

function checkNumber(option: string, value: number, least: number, most: number): void {
  if (typeof value === "number" && value >= least && value <= most) return;
  const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new TypeError(`toolSearch(): ${option} must be a number ${range}, got ${String(value)}`);
}

/** Estimates the tokens that declarations take: how the service counts them is not documented. */
export function tokensOf(tools: readonly Tool[]): number {
  return Math.ceil(tools.reduce((sum, { declaration }) => sum + bytesOf(declaration), 0) / BYTES_PER_TOKEN);
}

function bytesOf(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}

function searchTools(rank: Rank, usual: number, about: string | undefined): Tool {
  return defineTool({
    name: SEARCH,
    // Describes the tools only in the author's words, so the request stays the same when a server adds a tool.
    description: `Finds more tools${about === undefined ? "" : `, for ${about},`} by what they do. Returns their names, descriptions and parameters, best match first; run one with ${CALL}. Search before you say that something cannot be done.`,
    input: z.object({
      query: z.string().min(1).describe("What you want to do, in a few words, or the name of a tool"),
      limit: z.int().min(1).max(MAX_LIMIT).optional().describe(`Maximum number of tools (default ${usual})`),
    }),
    effects: "none",
    // Descriptions by other authors count as read from the first request on, as if they were declared.
    reads: "trusted",
    reach: "inside",
    run: async ({ query, limit = usual }, { signal }) => {
      const found = await rank(query, limit, signal);
      if (found.length === 0) return { tools: [], note: "nothing found; try other words" };
      let left = MAX_FOUND;
      return {
        tools: found.map(({ name, description, declaration }) => {
          const parameters = declaration.parametersJsonSchema;
          const whole = { name, description, parameters };
          left -= bytesOf(whole);
          return left >= 0 ? whole : { name, note: "search for this name alone to get its parameters" };
        }),
      };
    },
  });
}

function callTool(): Tool {
  const tool = defineTool({
    name: CALL,
    description: `Runs a tool that ${SEARCH} has found, and returns its result.`,
    input: {
      type: "object",
      properties: {
        name: { type: "string", description: `Name of the tool, from ${SEARCH}` },
        input: {
          type: "object",
          description: "Arguments of the tool, as its parameters describe them",
          additionalProperties: true,
        },
      },
      required: ["name", "input"],
    },
    effects: "none",
    reads: "trusted",
    reach: "inside",
    // Calls that name no tool should not disable this one.
    maxModelRetries: 20,
    run: () => {
      throw new ModelRetry(`name must be the name of a tool from ${SEARCH}`);
    },
  });
  return { ...tool, standsIn: true };
}
