import { type AskBuiltIn, delegatedTools } from "../grounding/delegate.ts";
import type { ModelCapabilities } from "../model/capabilities.ts";
import type { AnyTool, BuiltInTool, Tool } from "../tool/tool.ts";
import { buildToolset, type Toolset } from "../tool/toolset.ts";

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
  ask: AskBuiltIn,
): MixedTools {
  const tools = typeof given === "function" ? given() : given;
  const functions = tools.filter((tool): tool is Tool => tool.kind === "function");
  const builtIns = tools.filter((tool): tool is BuiltInTool => tool.kind === "built-in");
  const delegates = functions.length > 0 && builtIns.length > 0 && !capabilities.builtInsWithFunctions;
  return { toolset: buildToolset(delegates ? [...functions, ...delegatedTools(builtIns, ask)] : tools), delegates };
}
