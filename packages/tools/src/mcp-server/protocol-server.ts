import { ProtocolError, ProtocolErrorCode, Server, type Tool as McpTool } from "@modelcontextprotocol/server";
import type { Logger, Reads, ReadSource, Tool } from "@pollux/core";
import { answerCall } from "./answer-call.ts";
import type { ServeMcpOptions } from "./serve-options.ts";

const SILENT: Logger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/**
 * Creates servers for one toolset, one per connection.
 *
 * @throws {TypeError} If two tools have the same name, or a tool has no `run`.
 */
export function protocolServers(tools: readonly Tool[], options: ServeMcpOptions): () => Server {
  const { name, version, instructions, approve, logger = SILENT, reads = "untrusted" } = options;
  const read = readCallers(reads);
  const byName = new Map<string, Tool>();
  for (const tool of tools) {
    if (byName.has(tool.name)) throw new TypeError(`serveMcp(): two tools are named "${tool.name}"`);
    if (tool.external)
      throw new TypeError(`serveMcp(): "${tool.name}" has no run function, so its calls would never be answered`);
    byName.set(tool.name, tool);
  }
  const listed = tools.map(describe);
  const turns = new Turns();
  return () => {
    const server = new Server(
      { name, version },
      { capabilities: { tools: {} }, ...(instructions && { instructions }) },
    );
    // The SDK uses callbacks, not events.
    // oxlint-disable-next-line unicorn/prefer-add-event-listener
    server.onerror = (error) => logger.debug({ err: error }, "MCP server");
    server.setRequestHandler("tools/list", () => ({ tools: listed }));
    server.setRequestHandler("tools/call", async ({ params }, context) => {
      const tool = byName.get(params.name);
      if (tool === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${params.name}`);
      return await turns.take(tool, () =>
        answerCall(tool, params.arguments ?? {}, context, { tools: byName, approve, logger, read }),
      );
    });
    return server;
  };
}

/** Any other value counts as both. */
function readCallers(reads: Reads): readonly ReadSource[] {
  const [word, ...others] = [reads].flat();
  if (word === "trusted") return [];
  const isOne = others.length === 0 && (word === "untrusted" || word === "private");
  return [{ tool: "mcp_client", reads: isOne ? word : "both" }];
}

function describe({ name, description, declaration, effects }: Tool): McpTool {
  return {
    name,
    description,
    // Tools take only objects: `defineTool` ensures it.
    inputSchema: { ...(declaration.parametersJsonSchema as McpTool["inputSchema"]) },
    annotations: { readOnlyHint: effects === "none" },
  };
}

/** Runs `sequential` tools one at a time; all connections share the queue. */
class Turns {
  #last: Promise<unknown> = Promise.resolve();

  async take<Result>(tool: Tool, work: () => Promise<Result>): Promise<Result> {
    if (!tool.sequential) return await work();
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => {});
    return await mine;
  }
}
