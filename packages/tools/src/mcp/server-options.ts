import type { AuthProvider, OAuthClientProvider } from "@modelcontextprotocol/client";
import type { FunctionCall, Logger, Reach, Reads, ToolEffects } from "@pollux/core";
import type { OnElicit } from "./elicitation.ts";

/** A server that runs as a child process and communicates over its stdin and stdout. */
export interface McpCommand {
  /** Program to start, without a shell. */
  readonly command: string;
  readonly args?: readonly string[] | undefined;
  /**
   * Environment variables of the server. Besides these, it gets only what a program needs to run (`PATH`, `HOME`, `USER`,
   * `SHELL`, `TERM`, `LOGNAME`; their equivalents on Windows), so that it gets no key that isn't meant for it.
   */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** @defaultValue the working directory of this process */
  readonly cwd?: string | undefined;
}

/** A server reached over streamable HTTP. */
export interface McpAddress {
  readonly url: string | URL;
  /** Sent with every request to the server, and to no other host. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * A bearer token, a token provider, or an OAuth provider of the MCP SDK, which keeps the tokens. If it has none that the server accepts,
   * the connection fails with the reason `unauthorized` after its `redirectToAuthorization`: see {@link finishMcpAuth}.
   */
  readonly auth?: string | AuthProvider | OAuthClientProvider | undefined;
}

/** A tool as its server describes it. */
export interface McpToolInfo {
  /** The server's name for it. */
  readonly name: string;
  /** Hints from the server, not verified. */
  readonly annotations: {
    readonly readOnlyHint?: boolean | undefined;
    readonly destructiveHint?: boolean | undefined;
    readonly idempotentHint?: boolean | undefined;
    readonly openWorldHint?: boolean | undefined;
  };
}

/** A tool that differs from its pin: what the server first listed, or {@link McpToolsOptions.pins}. */
export interface McpToolChange {
  /** `changed` if the tool has a pin, `added` if not. */
  readonly kind: "added" | "changed";
  /** The server's name for it. */
  readonly name: string;
  /** Its current description, which the model would read. */
  readonly description: string;
  /** SHA-256 of its current name, title, description, input schema and annotations, in hexadecimal. */
  readonly hash: string;
  /** The hash when it was pinned; undefined if it was added. */
  readonly pinned: string | undefined;
}

/** How a server's tools are offered to the model. */
export interface McpToolsOptions {
  /** Prepended to each name with `_`: prevents clashes between servers. @defaultValue none */
  readonly prefix?: string | undefined;
  /** The only tools to offer, by the server's names. @defaultValue all of them */
  readonly include?: readonly string[] | undefined;
  /** Tools not to offer, by the server's names. @defaultValue none */
  readonly exclude?: readonly string[] | undefined;
  /**
   * What happens to tools that the server changes or adds after its first list. `refuse`: a changed tool is offered as it was first
   * listed, an added one is not offered. `accept`: the model gets the server's current tools. A function decides about each change,
   * once; if it throws, the change is refused. Each change is logged as a warning, accepted or not. After 1,000 changes, further ones
   * are refused without a log entry, unless all are accepted.
   *
   * @defaultValue "refuse"
   */
  readonly toolChanges?: "refuse" | "accept" | ((change: McpToolChange) => boolean | Promise<boolean>) | undefined;
  /**
   * Hashes of the tools by the server's names, from {@link McpTools.pins} of an earlier connection: a tool that differs from its hash,
   * or has none, counts as changed or added even in the first list. Pins mean that a person has reviewed the tools: without them, and with
   * `toolChanges: "accept"`, descriptions are untrusted content. @defaultValue what the server first lists
   */
  readonly pins?: Readonly<Record<string, string>> | undefined;
  /** Milliseconds until a call is cancelled and reported as timed out. @defaultValue 60_000 */
  readonly timeoutMs?: number | undefined;
  /**
   * Whether progress restarts `timeoutMs`, so that it limits silence instead of work. `maxTimeoutMs` still applies.
   * @defaultValue false
   */
  readonly resetTimeoutOnProgress?: boolean | undefined;
  /** With `resetTimeoutOnProgress` or `onElicit`: milliseconds for a whole call. @defaultValue 3_600_000 */
  readonly maxTimeoutMs?: number | undefined;
  /**
   * Asks the person a question from the server during a call, for example {@link elicitByAsking}. The call's `timeoutMs` pauses meanwhile.
   * Without it, servers learn that nobody can be asked. @defaultValue none
   */
  readonly onElicit?: OnElicit | undefined;
  /** Milliseconds for the person's answer; after that, the server learns that there is none. @defaultValue 600_000 */
  readonly elicitTimeoutMs?: number | undefined;
  /**
   * Whether the model gets `list_resources` and `read_resource`, with the prefix, if the server has resources.
   * @defaultValue false
   */
  readonly resources?: boolean | undefined;
  /** Milliseconds for the server to start and list its tools. @defaultValue 30_000 */
  readonly startTimeoutMs?: number | undefined;
  /** Largest result in bytes of JSON; longer ones are visibly truncated. @defaultValue 65_536 */
  readonly maxResultBytes?: number | undefined;
  /** Whether a person must approve a call first: always, or depending on tool and arguments. @defaultValue false */
  readonly needsApproval?:
    | boolean
    | ((tool: McpToolInfo, input: unknown, call: FunctionCall) => boolean | Promise<boolean>)
    | undefined;
  /**
   * Whether arguments are checked against the server's schemas before they are sent: for all tools, or per tool. Set it to `false` for a
   * server whose schemas don't match what it accepts. @defaultValue true
   */
  readonly validate?: boolean | ((tool: McpToolInfo) => boolean) | undefined;
  /**
   * Side effects of the tools: for all of them, or per tool. Calls with `none` and `idempotent` are retried if the server dies
   * during them. @defaultValue by annotation: `readOnlyHint` is `none`, `idempotentHint` is `idempotent`, anything else `once`
   */
  readonly effects?: ToolEffects | ((tool: McpToolInfo) => ToolEffects) | undefined;
  /**
   * What results bring into a history: for all tools, or per tool.
   * @defaultValue `"untrusted"`; also private from a command, and from a server that gets credentials or headers
   */
  readonly reads?: Reads | ((tool: McpToolInfo) => Reads) | undefined;
  /**
   * How far calls reach: for all tools, or per tool, where `undefined` means the default. The server's own hints can lower it only to a
   * lookup. @defaultValue `"lookup"` with `readOnlyHint` and without `destructiveHint`, otherwise `"outside"`
   */
  readonly reach?: Reach | ((tool: McpToolInfo) => Reach | undefined) | undefined;
  /** Receives the server's stderr and log (debug), and restarts, omitted and changed tools (warn). @defaultValue silent */
  readonly logger?: Logger | undefined;
  /** Aborts the start. It has no effect after that. */
  readonly signal?: AbortSignal | undefined;
}
