import { defineTool, type Tool, ToolError, ModelRetry } from "@pollux/core";
import { ToolDefinitionError } from "@pollux/core/errors";
import { z } from "zod/v4";
import { toolNames } from "../mcp/tool-names.ts";
import { bytesOf } from "./bounded-json.ts";
import { chooseOperations } from "./choose.ts";
import { describe } from "./describe.ts";
import { readDocument } from "./document.ts";
import { callOperation, MAX_RESULT_BYTES, type Service, trustOf } from "./operation-call.ts";
import { approvalOf, operationTool, type OperationTool } from "./operation-tool.ts";
import { type FoundOperation, operationsOf, reads } from "./operations.ts";
import type { OpenApiOptions } from "./options.ts";
import { ranked } from "./rank.ts";
import { serversOf } from "./server.ts";

/** Number of search results that include their arguments. */
const MOST_EXPLAINED = 5;

/**
 * Two tools for a document of any size: `find_operation` finds operations by keywords and returns their arguments, and
 * `call_operation` calls one by name.
 *
 * @param document - Same as for {@link openApiTools}.
 * @throws {ConfigurationError} Same as {@link openApiTools}, but no document is too large.
 * @example
 * ```ts
 * const agent = new Agent({ model: "gemini-flash-latest", tools: openApiSearch(document, { auth: { bearer: token } }) });
 * ```
 */
export function openApiSearch(document: object | string, options: OpenApiOptions = {}): Tool[] {
  const root = readDocument(document);
  const chosen = chooseOperations(operationsOf(root), options.operations ?? (() => true));
  const service: Service = { document: root, servers: serversOf(root, options.baseUrl), options };
  const nameOf = toolNames(
    chosen.map(({ wantedName }) => wantedName),
    undefined,
  );
  const byName = new Map(
    chosen.map((operation) => [nameOf.get(operation.wantedName) ?? operation.wantedName, operation]),
  );
  const made = new Map<string, OperationTool>();
  const toolFor = (name: string, operation: FoundOperation): OperationTool => {
    const known = made.get(name) ?? operationTool(service, operation, name);
    made.set(name, known);
    return known;
  };
  return [findOperation(service, byName, toolFor), callByName(service, byName, toolFor)];
}

type Operations = ReadonlyMap<string, FoundOperation>;
type ToolFor = (name: string, operation: FoundOperation) => OperationTool;

function findOperation({ document, options }: Service, operations: Operations, toolFor: ToolFor): Tool {
  const most = options.maxResultBytes ?? MAX_RESULT_BYTES;
  return defineTool({
    name: prefixed("find_operation", options),
    description: `Finds operations of an HTTP API by keywords (${operations.size} in all). Returns their names, best match first, and the arguments of the best matches. Search before calling one.`,
    input: z.object({
      query: z.string().min(1).describe("What you want to do, in a few words, or the name of an operation"),
      limit: z.int().min(1).max(30).optional().describe("Maximum number of operations (default 10)"),
    }),
    effects: "none",
    // The document that the author has given.
    reads: "trusted",
    maxResultBytes: most,
    run: ({ query, limit = 10 }) => {
      const found = ranked(query, operations, limit);
      if (found.length === 0) return { operations: [], note: "nothing found; try fewer or different words" };
      const listed: object[] = [];
      let bytes = 100;
      for (const [index, [name, operation]] of found.entries()) {
        const short = { operation: name, method: operation.method, path: operation.path, summary: operation.summary };
        const whole = index < MOST_EXPLAINED ? { ...short, ...explained(name, operation) } : short;
        const one = bytes + bytesOf(whole) <= most ? whole : short;
        bytes += bytesOf(one);
        if (bytes > most) break;
        listed.push(one);
      }
      return { operations: listed };
    },
  });

  function explained(name: string, operation: FoundOperation): object {
    try {
      const { tool } = toolFor(name, operation);
      return { description: describe(document, operation), arguments: tool.declaration.parametersJsonSchema };
    } catch (error) {
      if (!(error instanceof ToolDefinitionError)) throw error;
      return { note: "its arguments cannot be described" };
    }
  }
}

function callByName(service: Service, operations: Operations, toolFor: ToolFor): Tool {
  const { options } = service;
  const only = [...operations.values()];
  const main = service.servers.main.origin;
  const named = (name: string): FoundOperation => {
    const operation = operations.get(name);
    if (operation !== undefined) return operation;
    const near = ranked(name, operations, 3).map(([known]) => known);
    const hint = near.length > 0 ? `; similar names: ${near.join(", ")}` : "; look it up with find_operation";
    throw new ModelRetry(`there is no operation ${JSON.stringify(name.slice(0, 100))}${hint}`);
  };
  return defineTool({
    name: prefixed("call_operation", options),
    description: "Calls an operation found with find_operation, by name.",
    input: z.object({
      operation: z.string().min(1).describe("Name of the operation, from find_operation"),
      arguments: z
        .string()
        .optional()
        .describe('JSON object with the arguments described by find_operation, such as {"id": 7}'),
    }),
    timeoutMs: options.timeoutMs,
    maxResultBytes: options.maxResultBytes ?? MAX_RESULT_BYTES,
    reads: options.auth === undefined ? "untrusted" : ["untrusted", "private"],
    // A lookup at another host than the credentials' would tell it what this one has said.
    reach: ({ operation }) => {
      const { reach, origin } = trustOf(service, named(operation));
      return origin === main ? reach : "outside";
    },
    origin: main,
    effects: only.every((one) => reads(one)) ? "none" : "once",
    needsApproval: async (input, call) => {
      const rule = approvalOf(named(input.operation), options.needsApproval);
      return typeof rule === "boolean" ? rule : await rule(objectOf(input.arguments), call);
    },
    run: async (input, context) => {
      const { tool, plan } = explainedTool(input.operation, named(input.operation));
      return await callOperation(service, plan, await tool.parse(objectOf(input.arguments)), context);
    },
  });

  function explainedTool(name: string, operation: FoundOperation): OperationTool {
    try {
      return toolFor(name, operation);
    } catch (error) {
      if (!(error instanceof ToolDefinitionError)) throw error;
      throw new ToolError(`${name} cannot be called: its arguments cannot be described; choose another operation`);
    }
  }
}

function objectOf(text: string | undefined): unknown {
  if (text === undefined || text.trim() === "") return {};
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new ModelRetry(
      `arguments: must be a JSON object as text (${error instanceof Error ? error.message.slice(0, 120) : "it is not JSON"})`,
    );
  }
}

function prefixed(name: string, { prefix }: OpenApiOptions): string {
  return prefix === undefined ? name : `${prefix}_${name}`;
}
