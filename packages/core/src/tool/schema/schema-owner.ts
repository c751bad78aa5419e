import { type AgentError, ConfigurationError } from "../../errors/agent-error.ts";
import { ToolDefinitionError } from "../../errors/run-errors.ts";

/** What a schema is written for. Its errors speak of that. */
export interface SchemaOwner {
  /** The option that holds the schema. */
  readonly option: "input" | "output";
  /** @param path - In the schema, such as `properties.when`; `undefined` if the schema is not the problem. */
  error(problem: string, path?: string, options?: ErrorOptions): AgentError;
}

/** A tool, whose input the schema describes. */
export function ownedByTool(name: string): SchemaOwner {
  return {
    option: "input",
    error: (problem, path, options) => new ToolDefinitionError(`tool "${name}": ${problem}`, name, path, options),
  };
}

/** The typed output of a run. */
export const OUTPUT_OWNER: SchemaOwner = {
  option: "output",
  error: (problem, _path, options) => new ConfigurationError(`output: ${problem}`, options),
};
