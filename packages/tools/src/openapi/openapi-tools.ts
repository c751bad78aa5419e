import type { Tool } from "@pollux/core";
import { ToolDefinitionError } from "@pollux/core/errors";
import { toolNames } from "../mcp/tool-names.ts";
import { chooseOperations } from "./choose.ts";
import { readDocument } from "./document.ts";
import type { Service } from "./operation-call.ts";
import { operationTool } from "./operation-tool.ts";
import { operationsOf, shown } from "./operations.ts";
import type { OpenApiOperation, OpenApiOptions, SkippedOperation } from "./options.ts";
import { serversOf } from "./server.ts";

/** The tools of one document. */
export interface OpenApiTools {
  readonly tools: readonly Tool[];
  /** From the name of a tool to its operation. */
  readonly operations: ReadonlyMap<string, OpenApiOperation>;
  /** Operations whose schema the service would reject. */
  readonly skipped: readonly SkippedOperation[];
}

/**
 * Turns the operations of an OpenAPI document (3.x or Swagger 2.0) into tools for an agent. Only the selected operations are
 * converted.
 *
 * @param document - The document as an object or as JSON text.
 * @throws {ConfigurationError} If it is not an OpenAPI document, names no server, or has too many operations to offer them all.
 * @example
 * ```ts
 * const { tools } = openApiTools(document, { operations: ["repos/get", "issues/*"], auth: { bearer: token } });
 * const agent = new Agent({ model: "gemini-flash-latest", tools });
 * ```
 * @see https://spec.openapis.org/oas/v3.1.0
 */
export function openApiTools(document: object | string, options: OpenApiOptions = {}): OpenApiTools {
  const root = readDocument(document);
  const chosen = chooseOperations(operationsOf(root), options.operations);
  const service: Service = { document: root, servers: serversOf(root, options.baseUrl), options };
  const nameOf = toolNames(
    chosen.map(({ wantedName }) => wantedName),
    options.prefix,
  );
  const tools: Tool[] = [];
  const operations = new Map<string, OpenApiOperation>();
  const skipped: SkippedOperation[] = [];
  for (const operation of chosen) {
    const name = nameOf.get(operation.wantedName) ?? operation.wantedName;
    try {
      tools.push(operationTool(service, operation, name).tool);
      operations.set(name, shown(operation));
    } catch (error) {
      if (!(error instanceof ToolDefinitionError)) throw error;
      skipped.push({ operation: shown(operation), reason: error.message });
    }
  }
  return { tools, operations, skipped };
}
