export { serveMcp } from "./mcp-server/serve-mcp.ts";
export type { McpHttpPlace, McpServerHandle, ServeMcpOptions } from "./mcp-server/serve-options.ts";
