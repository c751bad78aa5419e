import type { Approve, Logger } from "@pollux/core";

/** Where HTTP clients find the server. */
export interface McpHttpPlace {
  /** @defaultValue 0, a free one */
  readonly port?: number | undefined;
  /** Address to listen at. @defaultValue "127.0.0.1", which this machine alone can reach */
  readonly host?: string | undefined;
  /** @defaultValue "/mcp" */
  readonly path?: string | undefined;
  /**
   * Host names, without ports, that a request may be for and that a web page may come from. Anything else is refused, since
   * a web page can have a name of its own point to this machine. @defaultValue the names of this machine, and `host`; needed for `0.0.0.0` and `::`
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Whether a request may come in, by its headers; 401 otherwise. @defaultValue everyone who gets this far */
  readonly authorize?: ((request: Request) => boolean | Promise<boolean>) | undefined;
}

/** How tools are served. */
export interface ServeMcpOptions {
  /** `stdio` speaks over this process's stdin and stdout, where nothing else may be written then. */
  readonly transport: "stdio" | McpHttpPlace;
  /** Name of the server, as clients show it. */
  readonly name: string;
  /** Version of the server, as clients show it. */
  readonly version: string;
  /** What clients may tell their model about the tools as a whole. @defaultValue none */
  readonly instructions?: string | undefined;
  /**
   * Asked about calls of tools with `needsApproval`, while the client waits. @defaultValue none: such calls are refused
   */
  readonly approve?: Approve | undefined;
  /** @defaultValue silent */
  readonly logger?: Logger | undefined;
}

/** A server that is running. */
export interface McpServerHandle extends AsyncDisposable {
  /** Where clients connect to; absent for `stdio`. */
  readonly url: string | undefined;
  /** Aborts what is under way and ends all connections. Over stdio it also stops reading. */
  close(): Promise<void>;
}
