import { ToolError } from "@pollux/core";
import { loadOptional, missingPackages, type OptionalUse } from "@pollux/core/tool";

/** For who tells the model: loads what a call needs. @throws {ToolError} When a package is not installed: says how to install it. */
export async function loadForCall<Loaded>(use: OptionalUse, load: () => Promise<Loaded>): Promise<Loaded> {
  try {
    return await loadOptional(use, load);
  } catch (error) {
    throw error instanceof Error && error.name === "ConfigurationError" ? toolErrorOf(error) : error;
  }
}

/** As {@link loadForCall} throws it. */
export function notInstalled(use: OptionalUse): ToolError {
  return toolErrorOf(missingPackages(use));
}

function toolErrorOf(error: Error): ToolError {
  return new ToolError(error.message, { cause: error });
}
