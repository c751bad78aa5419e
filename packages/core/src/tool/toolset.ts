import { ToolDefinitionError } from "../errors/run-errors.ts";
import type { FunctionDeclaration, WireTool } from "../wire/types/declaration.ts";
import type { AnyTool, BuiltInTool, Tool } from "./tool.ts";

/** @see https://ai.google.dev/api/caching#Tool */
const MAX_DECLARATIONS = 512;

/** The tools of a run, as the loop and the requests need them. */
export interface Toolset {
  readonly byName: ReadonlyMap<string, Tool>;
  /** Names of the stand-in tools; absent: none. */
  readonly standIns?: readonly string[] | undefined;
  /** In the order given, which keeps the request's prefix stable. */
  readonly functions: readonly FunctionDeclaration[];
  /** Entries for the request's `tools`. */
  readonly builtIns: readonly WireTool[];
}

/** Combines tools; the same tool counts once. @throws {ToolDefinitionError} For two with the same name or different options, or too many. */
export function buildToolset(tools: readonly AnyTool[]): Toolset {
  const byName = new Map<string, Tool>();
  const builtIns = new Map<string, BuiltInTool>();
  for (const tool of tools) {
    if (tool.kind === "built-in") addBuiltIn(builtIns, tool);
    else if ((byName.get(tool.name) ?? tool) === tool) byName.set(tool.name, tool);
    else throw new ToolDefinitionError(`two tools are named "${tool.name}": rename one of them`, tool.name);
  }
  const functions: Tool[] = [];
  const standIns: string[] = [];
  for (const tool of byName.values()) {
    if (tool.undeclared !== true) functions.push(tool);
    if (tool.standsIn === true) standIns.push(tool.name);
  }
  if (functions.length > MAX_DECLARATIONS)
    throw new ToolDefinitionError(
      `${functions.length} functions, but one request accepts at most ${MAX_DECLARATIONS}: pass them through toolSearch() of @pollux/tools/tool-search, or group them behind agents`,
      [...byName.keys()].at(-1) ?? "",
    );
  return {
    byName,
    ...(standIns.length > 0 && { standIns }),
    functions: functions.map((tool) => tool.declaration),
    builtIns: [...builtIns.values()].map((tool) => tool.wire),
  };
}

function addBuiltIn(builtIns: Map<string, BuiltInTool>, tool: BuiltInTool): void {
  const server = tool.wire.mcpServers?.[0]?.name;
  const what = server === undefined ? `${tool.name}()` : `the MCP server "${server}"`;
  const advice = server === undefined ? "merge them into one" : "rename one";
  const other = builtIns.get(what);
  if (other !== undefined && JSON.stringify(other.wire) !== JSON.stringify(tool.wire))
    throw new ToolDefinitionError(`${what} is passed twice with different options: ${advice}`, tool.name);
  builtIns.set(what, tool);
}
