import type { ContentInput, InputPart, Reads, Tool } from "@pollux/core";
import { loadOptional, type OptionalUse } from "@pollux/core/tool";
import type { McpPrompt } from "./prompts.ts";
import type { McpReadOptions, McpResourceList } from "./resources.ts";
import type { McpAddress, McpCommand, McpToolsOptions } from "./server-options.ts";

/** The package that this entry point needs besides `@pollux/tools`. */
export const MCP_CLIENT: OptionalUse = { user: "@pollux/tools/mcp", packages: ["@modelcontextprotocol/client"] };

/** A server's tool that is not offered to the model. */
export interface SkippedMcpTool {
  /** The server's name for it. */
  readonly name: string;
  /** Why the service would reject it. */
  readonly reason: string;
}

/** The tools of one MCP server, while it is open. */
export interface McpTools extends AsyncDisposable {
  /** What the server currently offers, as far as `toolChanges` allows; a new array whenever the list has changed. */
  readonly tools: readonly Tool[];
  /** From the model's name of a tool to the server's. */
  readonly names: ReadonlyMap<string, string>;
  /** Tools whose schema the service would reject. */
  readonly skipped: readonly SkippedMcpTool[];
  /** Hashes of the tools by the server's names, for the option `pins` of a later connection. */
  readonly pins: Readonly<Record<string, string>>;
  /**
   * What the server's prompts and resources bring into a history: the run option `reads`, and `historyReads` for a prompt with several
   * contents.
   */
  readonly reads: Reads;
  /** The prompts it offers to people. @throws {McpServerError} If it can't be reached. */
  prompts(): Promise<readonly McpPrompt[]>;
  /**
   * A prompt's messages, as the input of a run.
   *
   * @throws {McpServerError} If it can't be reached, doesn't have the prompt, or misses an argument.
   */
  prompt(name: string, args?: Readonly<Record<string, string>>): Promise<readonly ContentInput[]>;
  /** The resources it offers, and templates of their addresses. @throws {McpServerError} If it can't be reached. */
  resources(): Promise<McpResourceList>;
  /**
   * A resource as parts of a message: text as text, images, audio and PDFs as media, and a note in place of anything else.
   *
   * @param uri - Or a template, with `variables`.
   * @throws {McpServerError} If it can't be reached, doesn't have the resource, or the resource has more than `maxBytes`.
   */
  read(uri: string, options?: McpReadOptions): Promise<readonly InputPart[]>;
  /**
   * Requests the server's list again. Restarts a server that has ended, even one that would no longer be restarted.
   *
   * @throws {McpServerError} If it can't be reached, or has more than 2,000 tools; the tools stay the same.
   */
  refresh(): Promise<readonly Tool[]>;
  /** Disconnects from the server. Resolves once a child process has ended, with everything it started. */
  close(): Promise<void>;
}

/**
 * Connects to an MCP server and makes its tools available to an agent. Close it when it is no longer needed: `await using`
 * does that.
 *
 * @param server - A command to start, or a URL.
 * @throws {McpServerError} If the server doesn't start in time; names its command and the end of its stderr. If it has more than
 *   2,000 tools, not counting the ones that `include` and `exclude` leave out.
 * @throws {ConfigurationError} If `@modelcontextprotocol/client` is not installed.
 * @throws The reason of `options.signal`, if it aborts.
 * @example
 * ```ts
 * await using files = await mcpTools({ command: "npx", args: ["-y", "@modelcontextprotocol/server-filesystem", "."] });
 * const agent = new Agent({ model: "gemini-flash-latest", tools: () => files.tools });
 * ```
 * @see https://modelcontextprotocol.io/specification/2025-11-25/server/tools
 */
export async function mcpTools(server: McpCommand | McpAddress, options: McpToolsOptions = {}): Promise<McpTools> {
  const { openServerTools } = await loadOptional(MCP_CLIENT, () => import("./server-tools.ts"));
  return await openServerTools(server, options);
}
