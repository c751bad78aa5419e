/** An MCP server did not start, can't be reached, or doesn't speak the protocol. */
export class McpServerError extends Error {
  override readonly name = "McpServerError";
  readonly code: string = "mcp_server";
  /** The command without its later arguments, or the URL without its query. */
  readonly server: string;
  /** The end of what a child process wrote to stderr, at most 8 KiB; empty for a URL. */
  readonly stderr: string;

  constructor(message: string, server: string, stderr: string, options?: ErrorOptions) {
    super(message, options);
    this.server = server;
    this.stderr = stderr;
  }
}
