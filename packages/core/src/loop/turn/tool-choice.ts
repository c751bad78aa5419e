import { ConfigurationError } from "../../errors/agent-error.ts";
import { nearestName } from "../../internal/option-names.ts";
import type { ModelRequest } from "../../model/model.ts";
import type { ToolChoice } from "./turn-info.ts";

/** Calls are forced in the first turn only: a model that must call never answers. */
export function callingFor(choice: ToolChoice, isFirst: boolean): ModelRequest["calling"] {
  if (choice === "none") return { mode: "NONE" };
  if (choice === "auto" || !isFirst) return undefined;
  return choice === "required" ? { mode: "ANY" } : { mode: "ANY", allowedFunctionNames: choice.only };
}

/** @throws {ConfigurationError} For the name of a function that is not offered; names the nearest one. */
export function checkToolChoice(choice: ToolChoice, names: Iterable<string>): void {
  if (typeof choice === "string") {
    if (!["auto", "required", "none"].includes(choice))
      throw new ConfigurationError(
        `toolChoice is "${choice}": it must be "auto", "required", "none" or { only: ["${choice}"] }`,
      );
    return;
  }
  // Also the `{ type: "tool", toolName }` of the AI SDK.
  if (!Array.isArray(choice?.only))
    throw new ConfigurationError('toolChoice must be "auto", "required", "none" or { only: ["get_weather"] }');
  const known = new Set(names);
  for (const name of choice.only) if (!known.has(name)) throw unknownName("toolChoice", name, known);
  if (choice.only.length === 0)
    throw new ConfigurationError('toolChoice.only is empty: name a function, or use toolChoice "none"');
}

/** The error for a name that is none of the run's functions. */
export function unknownName(option: string, name: string, known: ReadonlySet<string>): ConfigurationError {
  const nearest = nearestName(name, known);
  const hint = nearest === undefined ? "" : ` Did you mean "${nearest}"?`;
  const listed = known.size === 0 ? "There are no tools." : `There are: ${[...known].slice(0, 20).join(", ")}.`;
  return new ConfigurationError(`${option} names "${name}", which is not among the tools.${hint} ${listed}`);
}
