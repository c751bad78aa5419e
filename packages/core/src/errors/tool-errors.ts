import { AgentError } from "./agent-error.ts";

/** A tool cannot be declared as it is written. Thrown at definition, never while a model is waiting. */
export class ToolDefinitionError extends AgentError {
  override readonly code = "tool_definition";
  /** Name of the tool. */
  readonly tool: string;
  /** Where in the schema, such as `properties.when`; absent when the schema is not at fault. */
  readonly path: string | undefined;

  constructor(message: string, tool: string, path?: string, options?: ErrorOptions) {
    super(message, options);
    this.tool = tool;
    this.path = path;
  }
}

/**
 * Thrown by a tool's author: this call failed, tell the model so in these words.
 * Any other error is logged with its stack and reported to the model by its message only.
 */
export class ToolFailure extends Error {
  override readonly name = "ToolFailure";
}

/**
 * Thrown by a tool's author: the call was wrong in a way that the model can correct; the text says how.
 * Spends one of the tool's retries for the run.
 */
export class ToolRetry extends Error {
  override readonly name = "ToolRetry";
}
