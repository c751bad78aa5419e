/**
 * Why a server can't be used. `not-found`: its command or folder does not exist. `unreachable`: nothing answers at its address.
 * `unauthorized`: it requires a token, or a person must sign in. `not-mcp`: something else answers. `version`: it supports no revision of
 * the protocol that this client supports. `ended`: its process ended.
 */
export type McpProblem =
  | "not-found"
  | "unreachable"
  | "unauthorized"
  | "not-mcp"
  | "timeout"
  | "version"
  | "ended"
  | "other";

/** An MCP server did not start, can't be reached, or doesn't speak the protocol. */
export class McpServerError extends Error {
  override readonly name = "McpServerError";
  readonly code: string = "mcp_server";
  /** The command without its later arguments, or the URL without its query. */
  readonly server: string;
  /** The end of what a child process wrote to stderr, at most 8 KiB; empty for a URL. */
  readonly stderr: string;
  /** What is wrong, for programs; the message says what to do. */
  readonly reason: McpProblem;

  constructor(message: string, server: string, stderr: string, options: ErrorOptions & { reason?: McpProblem } = {}) {
    super(message, options);
    this.server = server;
    this.stderr = stderr;
    this.reason = options.reason ?? "other";
  }
}
