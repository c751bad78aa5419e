import {
  type OAuthClientProvider,
  StreamableHTTPClientTransport,
  type Tool as McpTool,
} from "@modelcontextprotocol/client";
import type { ContentInput, InputPart, Reads, Tool } from "@pollux/core";
import { ToolDefinitionError } from "@pollux/core/errors";
import { Connection } from "./connection.ts";
import { McpServerError } from "./mcp-server-error.ts";
import { type McpPrompt, promptContents, promptOf } from "./prompts.ts";
import { listResources, type McpReadOptions, type McpResourceList, readResource, resourceTools } from "./resources.ts";
import { contentOf } from "./result-output.ts";
import type { McpTools, SkippedMcpTool } from "./mcp-tools.ts";
import type { McpAddress, McpCommand, McpToolsOptions } from "./server-options.ts";
import { isDeeperThan } from "../openapi/json.ts";
import { toolNames } from "./tool-names.ts";
import { toolOf } from "./tool-of.ts";
import { ToolPins } from "./tool-pins.ts";

/** Most levels of a tool's definition. */
const MAX_DEPTH = 100;

/** Most names in an error's message. */
const MOST_NAMED = 50;

/** Most tools of one server: the service takes 512 in a request, and each one costs time and memory before that. */
const MAX_TOOLS = 2_000;

/** Implements `mcpTools()`, which loads this file on first use. */
export async function openServerTools(
  server: McpCommand | McpAddress,
  options: McpToolsOptions = {},
): Promise<McpTools> {
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

/** Implements `finishMcpAuth()`, which loads this file on first use. */
export async function finishAuth(
  server: { readonly url: string | URL; readonly auth: OAuthClientProvider },
  callback: URLSearchParams,
): Promise<void> {
  const transport = new StreamableHTTPClientTransport(new URL(server.url), { authProvider: server.auth });
  await transport.finishAuth(callback);
}

class ServerTools implements McpTools {
  readonly #connection: Connection;
  readonly #options: McpToolsOptions;
  readonly #pins: ToolPins;
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
      onElicit: options.onElicit,
      elicitTimeoutMs: options.elicitTimeoutMs,
      onToolsChanged: () => void this.#reload(),
    });
    const { pins, toolChanges, logger } = options;
    this.#pins = new ToolPins({ pins, toolChanges, server: this.#connection.name, logger });
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

  get pins(): Readonly<Record<string, string>> {
    return this.#pins.pins;
  }

  get reads(): Reads {
    const { reads } = this.#options;
    return reads === undefined || typeof reads === "function" ? this.#connection.reads : reads;
  }

  async prompts(): Promise<readonly McpPrompt[]> {
    const { prompts } = await this.#connection.ask("list its prompts", (client, own) => client.listPrompts({}, own));
    return prompts.map(promptOf);
  }

  async prompt(name: string, args: Readonly<Record<string, string>> = {}): Promise<readonly ContentInput[]> {
    const params = { name, arguments: { ...args } };
    return promptContents(
      await this.#connection.ask(`return the prompt "${name}"`, (client, own) => client.getPrompt(params, own)),
    );
  }

  async resources(): Promise<McpResourceList> {
    return await listResources(this.#connection);
  }

  async read(uri: string, options: McpReadOptions = {}): Promise<readonly InputPart[]> {
    return (await readResource(this.#connection, uri, options)).map(contentOf);
  }

  async refresh(): Promise<readonly Tool[]> {
    this.#connection.allowRestart();
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
    await this.#offer();
  }

  /** A misspelled name must not look like a server without tools. */
  checkNames(): void {
    const { include = [], exclude = [] } = this.#options;
    const has = new Set(this.#listed.map(({ name }) => name));
    const unknown = [...include, ...exclude].filter((name) => !has.has(name));
    if (unknown.length === 0) return;
    const others = has.size > MOST_NAMED ? `, and ${has.size - MOST_NAMED} more` : "";
    const known = `${[...has].slice(0, MOST_NAMED).join(", ")}${others}`;
    throw this.#problem(`has no ${unknown.map((tool) => `"${tool}"`).join(", ")}; it has ${known}`);
  }

  async #offer(): Promise<void> {
    const { prefix, logger } = this.#options;
    const include = this.#options.include && new Set(this.#options.include);
    const exclude = new Set(this.#options.exclude);
    const skipped: SkippedMcpTool[] = [];
    const chosen = this.#listed.filter(({ name }) => include?.has(name) !== false && !exclude.has(name));
    if (chosen.length > MAX_TOOLS)
      throw this.#problem(`has ${chosen.length} tools, more than ${MAX_TOOLS}: choose some of them with \`include\``);
    const wanted = chosen.filter((tool) => {
      const { name } = tool;
      if (!isDeeperThan(tool, MAX_DEPTH)) return true;
      skipped.push({ name, reason: `its schema has more than ${MAX_DEPTH} levels` });
      return false;
    });
    const offered = await this.#pins.admitted(wanted);
    const nameOf = toolNames(
      offered.map(({ name }) => name),
      prefix,
    );
    const tools: Tool[] = [];
    const names = new Map<string, string>();
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
    if (this.#options.resources === true) tools.push(...(await this.#resourceTools(names)));
    this.#tools = tools;
    this.#names = names;
    this.#skipped = skipped;
  }

  async #resourceTools(taken: ReadonlyMap<string, string>): Promise<readonly Tool[]> {
    const { client } = await this.#connection.open();
    if (client.getServerCapabilities()?.resources === undefined) return [];
    const nameOf = toolNames(["list_resources", "read_resource"], this.#options.prefix);
    const [list = "", read = ""] = nameOf.values();
    if (!taken.has(list) && !taken.has(read)) return resourceTools(this.#connection, { list, read }, this.#options);
    throw this.#problem(`has a tool "${taken.has(list) ? list : read}" of its own: leave it out with \`exclude\``);
  }

  #problem(what: string): McpServerError {
    const { name } = this.#connection;
    return new McpServerError(`the MCP server "${name}" ${what}`, name, "");
  }

  /** One list request at a time: a change during a request causes one more. */
  async #reload(): Promise<void> {
    this.#isStale = true;
    if (this.#isLoading) return;
    this.#isLoading = true;
    while (this.#isStale) {
      this.#isStale = false;
      try {
        await this.load();
      } catch (error) {
        this.#options.logger?.warn({ mcpServer: this.#connection.name, err: error }, "failed to list MCP tools again");
      }
    }
    this.#isLoading = false;
  }
}
