import type { Tool } from "@pollux/core";
import { loadOptional } from "@pollux/core/tool";
import type { McpServerHandle, ServeMcpOptions } from "./serve-options.ts";

const MCP_SERVER = { user: "@pollux/tools/mcp-server", packages: ["@modelcontextprotocol/server"] };

/**
 * Serves tools to any MCP client, over stdio or streamable HTTP.
 *
 * Calls run as they do in an agent: arguments are checked, time and size are limited, failures are returned as `isError`,
 * and progress and cancellation are passed on.
 *
 * @throws {TypeError} If two tools have the same name, a tool has no `run`, or an address needs `allowedHosts`.
 * @throws {ConfigurationError} If `@modelcontextprotocol/server` is not installed.
 * @throws If the port is in use.
 * @example
 * ```ts
 * await serveMcp(fileTools({ root: "." }), { transport: "stdio", name: "files", version: "1.0.0" });
 * ```
 */
export async function serveMcp(tools: readonly Tool[], options: ServeMcpOptions): Promise<McpServerHandle> {
  const { serve } = await loadOptional(MCP_SERVER, () => import("./serve.ts"));
  return await serve(tools, options);
}
