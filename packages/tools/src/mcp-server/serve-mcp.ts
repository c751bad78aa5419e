import { serveStdio } from "@modelcontextprotocol/server/stdio";
import type { Tool } from "@pollux/core";
import { protocolServers } from "./protocol-server.ts";
import { serveHttp } from "./serve-http.ts";
import type { McpServerHandle, ServeMcpOptions } from "./serve-options.ts";

/**
 * Serves tools to any MCP client, over stdio or streamable HTTP.
 *
 * Calls run as they do in an agent: arguments are checked, time and size are limited, failures are returned as `isError`,
 * and progress and cancellation are passed on.
 *
 * @throws {TypeError} If two tools have the same name, a tool has no `run`, or an address needs `allowedHosts`.
 * @throws If the port is in use.
 * @example
 * ```ts
 * await serveMcp(fileTools({ root: "." }), { transport: "stdio", name: "files", version: "1.0.0" });
 * ```
 */
export async function serveMcp(tools: readonly Tool[], options: ServeMcpOptions): Promise<McpServerHandle> {
  const newServer = protocolServers(tools, options);
  const { transport, logger } = options;
  if (transport !== "stdio") return await serveHttp(newServer, transport, logger);
  const handle = serveStdio(newServer, { onerror: (error) => logger?.debug({ err: error }, "MCP server") });
  const close = (): Promise<void> => handle.close();
  return { url: undefined, close, [Symbol.asyncDispose]: close };
}
