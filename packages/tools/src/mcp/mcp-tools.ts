import type { Tool as McpTool } from "@modelcontextprotocol/client";
import { type Tool, ToolDefinitionError } from "@pollux/core";
import { Connection } from "./connection.ts";
import { McpServerError } from "./mcp-server-error.ts";
import type { McpAddress, McpCommand, McpToolsOptions } from "./server-options.ts";
import { toolNames } from "./tool-names.ts";
import { toolOf } from "./tool-of.ts";

/** A server's tool that the model is not offered. */
export interface SkippedMcpTool {
  /** The server's name for it. */
  readonly name: string;
  /** Why the service would refuse it. */
  readonly reason: string;
}

/** The tools of one MCP server, for as long as it is open. */
export interface McpTools extends AsyncDisposable {
  /** What the server offers now; a new array whenever its list has changed. */
  readonly tools: readonly Tool[];
  /** The model's name of a tool → the server's. */
  readonly names: ReadonlyMap<string, string>;
  /** Tools whose schema the service would refuse. */
  readonly skipped: readonly SkippedMcpTool[];
  /**
   * Asks the server for its list again. A server that has ended is started again, also one that was given up.
   *
   * @throws {McpServerError} When it cannot be reached; the tools stay what they were.
   */
  refresh(): Promise<readonly Tool[]>;
  /** Leaves the server. A process that was started for it is gone afterwards, with all that it started. */
  close(): Promise<void>;
}

/**
 * Connects to an MCP server and makes its tools ready for an agent. Close it when it is not needed any more: `await using`
 * does.
 *
 * @param server - A command to start, or an address.
 * @throws {McpServerError} When the server does not start in time, names its command and the end of its stderr.
 * @throws The reason of `options.signal` when it aborts.
 * @example
 * ```ts
 * await using files = await mcpTools({ command: "npx", args: ["-y", "@modelcontextprotocol/server-filesystem", "."] });
 * const agent = new Agent({ model: "gemini-flash-latest", tools: () => files.tools });
 * ```
 * @see https://modelcontextprotocol.io/specification/2025-11-25/server/tools
 */
export async function mcpTools(server: McpCommand | McpAddress, options: McpToolsOptions = {}): Promise<McpTools> {
  const set = new ServerTools(server, options);
  try {
    await set.load(options.signal);
    set.checkNames();
    return set;
  } catch (error) {
    await set.close();
    throw error;
  }
}

class ServerTools implements McpTools {
  readonly #connection: Connection;
  readonly #options: McpToolsOptions;
  #listed: readonly McpTool[] = [];
  #tools: readonly Tool[] = [];
  #names: ReadonlyMap<string, string> = new Map();
  #skipped: readonly SkippedMcpTool[] = [];
  #isLoading = false;
  #isStale = false;

  constructor(server: McpCommand | McpAddress, options: McpToolsOptions) {
    this.#options = options;
    this.#connection = new Connection(server, {
      startTimeoutMs: options.startTimeoutMs ?? 30_000,
      logger: options.logger,
      onToolsChanged: () => void this.#reload(),
    });
  }

  get tools(): readonly Tool[] {
    return this.#tools;
  }

  get names(): ReadonlyMap<string, string> {
    return this.#names;
  }

  get skipped(): readonly SkippedMcpTool[] {
    return this.#skipped;
  }

  async refresh(): Promise<readonly Tool[]> {
    this.#connection.forgive();
    await this.load();
    return this.#tools;
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async load(signal?: AbortSignal): Promise<void> {
    this.#listed = await this.#connection.listTools(signal);
    this.#offer();
  }

  /** A misspelt name must not pass for a server without tools. */
  checkNames(): void {
    const { include = [], exclude = [] } = this.#options;
    const has = new Set(this.#listed.map(({ name }) => name));
    const unknown = [...include, ...exclude].filter((name) => !has.has(name));
    if (unknown.length === 0) return;
    const { name } = this.#connection;
    throw new McpServerError(
      `the MCP server "${name}" has no ${unknown.map((tool) => `"${tool}"`).join(", ")}; it has ${[...has].join(", ")}`,
      name,
      "",
    );
  }

  #offer(): void {
    const { include, exclude = [], prefix, logger } = this.#options;
    const offered = this.#listed.filter(
      ({ name }) => (include === undefined || include.includes(name)) && !exclude.includes(name),
    );
    const nameOf = toolNames(
      offered.map(({ name }) => name),
      prefix,
    );
    const tools: Tool[] = [];
    const names = new Map<string, string>();
    const skipped: SkippedMcpTool[] = [];
    for (const tool of offered) {
      const name = nameOf.get(tool.name);
      if (name === undefined || names.has(name)) continue;
      try {
        tools.push(toolOf(tool, name, this.#connection, this.#options));
        names.set(name, tool.name);
      } catch (error) {
        if (!(error instanceof ToolDefinitionError)) throw error;
        skipped.push({ name: tool.name, reason: error.message });
        logger?.warn({ mcpServer: this.#connection.name, tool: tool.name, err: error }, "MCP tool left out");
      }
    }
    this.#tools = tools;
    this.#names = names;
    this.#skipped = skipped;
  }

  /** One list at a time: what changes while one is on its way is asked for once more. */
  async #reload(): Promise<void> {
    this.#isStale = true;
    if (this.#isLoading) return;
    this.#isLoading = true;
    while (this.#isStale) {
      this.#isStale = false;
      try {
        await this.load();
      } catch (error) {
        this.#options.logger?.warn({ mcpServer: this.#connection.name, err: error }, "MCP tools not listed again");
      }
    }
    this.#isLoading = false;
  }
}
