import { defineTool, type FunctionCall, type Tool } from "@pollux/core";
import { ToolDefinitionError } from "@pollux/core/errors";
import { filledBy } from "./credentials.ts";
import { describe } from "./describe.ts";
import { type FoundOperation, reads, shown } from "./operations.ts";
import { callOperation, MAX_RESULT_BYTES, type Service, trustOf } from "./operation-call.ts";
import type { OpenApiOptions } from "./options.ts";
import { type Plan, planOf } from "./plan.ts";
import { TooComplexError } from "./work.ts";

/** Largest schema of a tool, in characters of JSON. */
const MAX_SCHEMA = 40_000;

/** Levels of a body to show, tried in this order until the schema passes the service's limits. */
const LEVELS: readonly number[] = [Infinity, 6, 4, 2, 1];

/** An operation as a tool. */
export interface OperationTool {
  readonly tool: Tool;
  readonly plan: Plan;
}

/**
 * @throws {ToolDefinitionError} If the service would reject its schema even at the lowest level of detail.
 */
export function operationTool(service: Service, operation: FoundOperation, name: string): OperationTool {
  let refusal: unknown;
  for (const levels of LEVELS) {
    try {
      const plan = planOf(service.document, operation, filledBy(service.options.auth), { levels });
      const tool = toolOf(service, plan, name);
      const size = JSON.stringify(tool.declaration.parametersJsonSchema).length;
      if (size <= MAX_SCHEMA) return { tool, plan };
      refusal = new ToolDefinitionError(`tool "${name}": its schema is too large`, name, "");
    } catch (error) {
      if (error instanceof TooComplexError)
        refusal = new ToolDefinitionError(`tool "${name}": it cannot be described, because ${error.message}`, name, "");
      else if (error instanceof ToolDefinitionError) refusal ??= error;
      else throw error;
    }
  }
  throw refusal;
}

function toolOf(service: Service, plan: Plan, name: string): Tool {
  const { operation } = plan;
  const { options } = service;
  return defineTool({
    name,
    description: describe(service.document, operation),
    input: plan.schema,
    validate: typeof options.validate === "function" ? options.validate(shown(operation)) : options.validate,
    timeoutMs: options.timeoutMs,
    maxResultBytes: options.maxResultBytes ?? MAX_RESULT_BYTES,
    effects: reads(operation)
      ? "none"
      : operation.method === "PUT" || operation.method === "DELETE"
        ? "idempotent"
        : "once",
    ...trustOf(service, operation),
    needsApproval: approvalOf(operation, options.needsApproval),
    run: (input, context) => callOperation(service, plan, input, context),
  });
}

/** The approval rule for one operation. */
export function approvalOf(
  operation: FoundOperation,
  rule: OpenApiOptions["needsApproval"],
): boolean | ((input: unknown, call: FunctionCall) => boolean | Promise<boolean>) {
  if (typeof rule === "function") return (input, call) => rule(shown(operation), input, call);
  return rule ?? !reads(operation);
}
