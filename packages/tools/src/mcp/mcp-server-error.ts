/** An MCP server did not start, cannot be reached, or does not speak the protocol. */
export class McpServerError extends Error {
  override readonly name = "McpServerError";
  /** The command without its later arguments, or the address without its query. */
  readonly server: string;
  /** The end of what a server of a command wrote to stderr, at most 8 KiB; empty for one behind an address. */
  readonly stderr: string;

  constructor(message: string, server: string, stderr: string, options?: ErrorOptions) {
    super(message, options);
    this.server = server;
    this.stderr = stderr;
  }
}
