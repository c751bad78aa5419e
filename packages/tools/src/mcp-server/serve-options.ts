import type { Approve, Logger, Reads } from "@pollux/core";

/** Where HTTP clients find the server. */
export interface McpHttpPlace {
  /** @defaultValue 0, any free port */
  readonly port?: number | undefined;
  /** Address to listen on. @defaultValue "127.0.0.1", reachable only from this machine */
  readonly host?: string | undefined;
  /** @defaultValue "/mcp" */
  readonly path?: string | undefined;
  /**
   * Host names, without ports, that requests may use and that web pages may come from. Anything else is refused, since a web
   * page can point a host name of its own to this machine. @defaultValue the names of this machine, and `host`; required for `0.0.0.0` and `::`
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Whether to accept a request, by its headers; otherwise it gets a 401. @defaultValue accepts all */
  readonly authorize?: ((request: Request) => boolean | Promise<boolean>) | undefined;
}

/** Options of {@link serveMcp}. */
export interface ServeMcpOptions {
  /** `stdio` uses this process's stdin and stdout; nothing else may write to stdout. */
  readonly transport: "stdio" | McpHttpPlace;
  /** Name of the server, as clients show it. */
  readonly name: string;
  /** Version of the server, as clients show it. */
  readonly version: string;
  /** What clients may tell their model about the tools as a whole. @defaultValue none */
  readonly instructions?: string | undefined;
  /**
   * Approves calls to tools with `needsApproval` while the client waits. @defaultValue none: such calls are refused
   */
  readonly approve?: Approve | undefined;
  /**
   * What the callers' input brings into the history of an agent that is served as a tool: another program's model wrote its task, and may have
   * read anything. The agent's own `approve` then decides about each call that would reach outside. @defaultValue "untrusted"
   */
  readonly reads?: Reads | undefined;
  /** @defaultValue silent */
  readonly logger?: Logger | undefined;
}

/** A running server. */
export interface McpServerHandle extends AsyncDisposable {
  /** URL for clients; absent for `stdio`. */
  readonly url: string | undefined;
  /** Aborts calls in progress and closes all connections. Over stdio, it also stops reading. */
  close(): Promise<void>;
}
