import { serveStdio } from "@modelcontextprotocol/server/stdio";
import type { Tool } from "@pollux/core";
import { protocolServers } from "./protocol-server.ts";
import { serveHttp } from "./serve-http.ts";
import type { McpServerHandle, ServeMcpOptions } from "./serve-options.ts";

/** Implements `serveMcp()`, which loads this file on first use. */
export async function serve(tools: readonly Tool[], options: ServeMcpOptions): Promise<McpServerHandle> {
  const newServer = protocolServers(tools, options);
  const { transport, logger } = options;
  if (transport !== "stdio") return await serveHttp(newServer, transport, logger);
  const handle = serveStdio(newServer, { onerror: (error) => logger?.debug({ err: error }, "MCP server") });
  const close = (): Promise<void> => handle.close();
  return { url: undefined, close, [Symbol.asyncDispose]: close };
}
