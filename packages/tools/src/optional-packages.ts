import { ToolError } from "@pollux/core";
import { loadOptional, missingPackages, type OptionalUse } from "@pollux/core/tool";

/** Loads what a call needs. @throws {ToolError} If a package is not installed: tells the model how to install it. */
export async function loadForCall<Loaded>(use: OptionalUse, load: () => Promise<Loaded>): Promise<Loaded> {
  try {
    return await loadOptional(use, load);
  } catch (error) {
    throw error instanceof Error && error.name === "ConfigurationError" ? toolErrorOf(error) : error;
  }
}

/** The error that {@link loadForCall} throws. */
export function notInstalled(use: OptionalUse): ToolError {
  return toolErrorOf(missingPackages(use));
}

function toolErrorOf(error: Error): ToolError {
  return new ToolError(error.message, { cause: error });
}
