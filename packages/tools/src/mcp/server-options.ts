import type { AuthProvider, OAuthClientProvider } from "@modelcontextprotocol/client";
import type { FunctionCall, Logger, ToolEffects } from "@pollux/core";

/** A server that is started as a child process and spoken to over its stdin and stdout. */
export interface McpCommand {
  /** Program to start, without a shell. */
  readonly command: string;
  readonly args?: readonly string[] | undefined;
  /**
   * Environment variables of the server. Beside these it gets only what a program needs to run (`PATH`, `HOME`, `USER`,
   * `SHELL`, `TERM`, `LOGNAME`; on Windows their like), so no key that is not meant for it.
   */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** @defaultValue the working directory of this process */
  readonly cwd?: string | undefined;
}

/** A server that is reached over streamable HTTP. */
export interface McpAddress {
  readonly url: string | URL;
  /** Sent with every request to the server, and to no other host. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** A bearer token; what gives one; or an OAuth provider as the MCP SDK has it. */
  readonly auth?: string | AuthProvider | OAuthClientProvider | undefined;
}

/** A tool as its server describes it. */
export interface McpToolInfo {
  /** The server's own name for it. */
  readonly name: string;
  /** Hints that nothing vouches for but the server. */
  readonly annotations: {
    readonly readOnlyHint?: boolean | undefined;
    readonly destructiveHint?: boolean | undefined;
    readonly idempotentHint?: boolean | undefined;
    readonly openWorldHint?: boolean | undefined;
  };
}

/** How the tools of a server are offered to the model. */
export interface McpToolsOptions {
  /** Put before each name with a `_` between: keeps servers with equal names apart. @defaultValue none */
  readonly prefix?: string | undefined;
  /** The only tools that are offered, by the server's names. @defaultValue all of them */
  readonly include?: readonly string[] | undefined;
  /** Tools that are not offered, by the server's names. @defaultValue none */
  readonly exclude?: readonly string[] | undefined;
  /** Milliseconds until a call is cancelled and answered with a time-out. @defaultValue 60_000 */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds the server has to start and to list its tools. @defaultValue 30_000 */
  readonly startTimeoutMs?: number | undefined;
  /** Largest result in bytes of JSON; longer ones are cut, visibly. @defaultValue 65_536 */
  readonly maxResultBytes?: number | undefined;
  /** Whether a person has to agree to a call first: always, or by tool and arguments. @defaultValue false */
  readonly needsApproval?:
    | boolean
    | ((tool: McpToolInfo, input: unknown, call: FunctionCall) => boolean | Promise<boolean>)
    | undefined;
  /**
   * What the tools do to the world: for all of them, or by tool. Calls of `none` and `idempotent` are made again when the
   * server dies under them. @defaultValue by annotation: `readOnlyHint` is `none`, `idempotentHint` is `idempotent`, anything else `once`
   */
  readonly effects?: ToolEffects | ((tool: McpToolInfo) => ToolEffects) | undefined;
  /** Told of what the server writes to stderr and to its log (debug), of restarts and of tools that are left out (warn). @defaultValue silent */
  readonly logger?: Logger | undefined;
  /** Aborting it ends the start. It has no say afterwards. */
  readonly signal?: AbortSignal | undefined;
}
