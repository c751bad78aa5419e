import { createHash } from "node:crypto";
import type { Tool as McpTool } from "@modelcontextprotocol/client";
import type { Logger } from "@pollux/core";
import { canonical } from "./result-output.ts";
import type { McpToolChange, McpToolsOptions } from "./server-options.ts";

/** Most decisions about changes; further changes are refused, so that a server cannot fill memory and log. */
const MOST_DECISIONS = 1_000;

/** Options of {@link ToolPins}. */
export interface PinOptions {
  readonly pins: McpToolsOptions["pins"];
  readonly toolChanges: McpToolsOptions["toolChanges"];
  /** The server's name, for the log. */
  readonly server: string;
  readonly logger: Logger | undefined;
}

/** Remembers a server's tools as they were first listed, and decides about later changes. */
export class ToolPins {
  readonly #options: PinOptions;
  /** Hashes by name; undefined until the first list if none are given. */
  #hashes: Map<string, string> | undefined;
  readonly #definitions = new Map<string, McpTool>();
  /** Finished and pending decisions by name and hash, so that each is made once. */
  readonly #decisions = new Map<string, Promise<boolean>>();

  constructor(options: PinOptions) {
    this.#options = options;
    this.#hashes = options.pins === undefined ? undefined : new Map(Object.entries(options.pins));
  }

  /** Hashes by the server's name of a tool, including tools that the server no longer lists. */
  get pins(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#hashes ?? []);
  }

  /**
   * The tools to offer: a listed tool that matches its pin, or whose change is accepted; otherwise the tool's earlier definition,
   * or nothing if there is none.
   */
  async admitted(listed: readonly McpTool[]): Promise<readonly McpTool[]> {
    const known = (this.#hashes ??= new Map(listed.map((tool) => [tool.name, hashOf(tool)])));
    const admitted: McpTool[] = [];
    for (const tool of listed) {
      const hash = hashOf(tool);
      const pinned = known.get(tool.name);
      if (pinned !== hash && !(await this.#accepts(tool, hash, pinned))) {
        const before = this.#definitions.get(tool.name);
        if (before !== undefined) admitted.push(before);
        continue;
      }
      known.set(tool.name, hash);
      this.#definitions.set(tool.name, tool);
      admitted.push(tool);
    }
    if (this.#options.toolChanges === "accept") this.#forgetAllBut(listed);
    return admitted;
  }

  /** Otherwise a server could fill the memory with tools that it no longer has. */
  #forgetAllBut(listed: readonly McpTool[]): void {
    const names = new Set(listed.map(({ name }) => name));
    for (const map of [this.#definitions, this.#hashes])
      for (const name of map?.keys() ?? []) if (!names.has(name)) map?.delete(name);
  }

  async #accepts(tool: McpTool, hash: string, pinned: string | undefined): Promise<boolean> {
    const change: McpToolChange = {
      kind: pinned === undefined ? "added" : "changed",
      name: tool.name,
      description: tool.description ?? "",
      hash,
      pinned,
    };
    // No need to remember the decision: the accepted definition is the new pin.
    if (this.#options.toolChanges === "accept") return await this.#decide(change);
    const key = JSON.stringify([tool.name, pinned, hash]);
    const known = this.#decisions.get(key);
    if (known !== undefined) return await known;
    if (this.#decisions.size >= MOST_DECISIONS) return false;
    const decision = this.#decide(change);
    this.#decisions.set(key, decision);
    return await decision;
  }

  async #decide(change: McpToolChange): Promise<boolean> {
    const { toolChanges = "refuse", server, logger } = this.#options;
    const facts = {
      mcpServer: server,
      tool: change.name,
      change: change.kind,
      hash: change.hash,
      pinned: change.pinned,
    };
    try {
      // Anything but `true` is a no.
      const accepted: unknown =
        typeof toolChanges === "function" ? await toolChanges(change) : toolChanges === "accept";
      logger?.warn(facts, accepted === true ? "MCP tool change accepted" : "MCP tool change refused");
      return accepted === true;
    } catch (error) {
      logger?.error({ ...facts, err: error }, "MCP tool change refused: toolChanges failed");
      return false;
    }
  }
}

/** SHA-256 of everything in a definition that the model reads or that decides how calls are treated, in hexadecimal. */
function hashOf({ name, title, description, inputSchema, annotations }: McpTool): string {
  return createHash("sha256").update(canonical({ name, title, description, inputSchema, annotations })).digest("hex");
}
