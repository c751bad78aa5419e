import {
  type CallToolResult,
  type Client,
  type ElicitRequest,
  type ElicitResult,
  type Progress,
  type RequestOptions,
  type Tool,
  UrlElicitationRequiredError,
} from "@modelcontextprotocol/client";
import { type Logger, type Reads, type ToolContext, ToolError } from "@pollux/core";
import { sleep } from "@pollux/core/wire";
import { type CallClock, LONGEST_MS } from "./call-clock.ts";
import { answerElicitation, keepAnswer, type OnElicit } from "./elicitation.ts";
import { McpServerError } from "./mcp-server-error.ts";
import { type OpenClient, openClient } from "./open-client.ts";
import { serverName } from "./server-name.ts";
import type { McpAddress, McpCommand } from "./server-options.ts";
import { wasNeverSent } from "./start-problem.ts";

/** Milliseconds before a call that no server received is sent again: a server at a URL may be restarting. */
const RESTART_WAITS_MS = [250, 500, 1_000] as const;

/** Options of a {@link Connection}. */
export interface ConnectionOptions {
  readonly startTimeoutMs: number;
  readonly logger: Logger | undefined;
  readonly onElicit?: OnElicit | undefined;
  readonly elicitTimeoutMs?: number | undefined;
  onToolsChanged(): void;
}

/** How long to wait for an answer. */
export interface Patience {
  readonly signal?: AbortSignal | undefined;
  /** @defaultValue `startTimeoutMs` */
  readonly timeoutMs?: number | undefined;
}

/** One call of a tool. */
export interface McpCall {
  readonly tool: Tool;
  readonly args: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** Whether it may be repeated if the outcome of the first attempt is unknown. */
  readonly repeatable: boolean;
  readonly context: ToolContext;
  /** Pauses while the person is asked. */
  readonly clock: CallClock | undefined;
  /** Number of questions that the server has asked during this call. */
  questions: number;
  onProgress(progress: Progress): void;
}

/**
 * A connection to a server, over as many processes as needed: if one dies, it is restarted on the next call. If it dies again
 * before answering anything, it stays down.
 */
export class Connection {
  readonly name: string;
  /** What results bring into a history: a local program, and a server that gets credentials, may return private data. */
  readonly reads: Reads;
  readonly #server: McpCommand | McpAddress;
  readonly #options: ConnectionOptions;
  #opening: Promise<OpenClient> | undefined;
  #standing: OpenClient | undefined;
  /** How the last process ended, for later calls. */
  #lastEnding = "the connection ended";
  /** The server has been restarted and has not answered anything since. */
  #unproven = false;
  #isClosed = false;
  /** Calls in progress. */
  readonly #calls = new Set<McpCall>();

  constructor(server: McpCommand | McpAddress, options: ConnectionOptions) {
    this.#server = server;
    this.#options = options;
    this.name = serverName(server);
    const isPublic = "url" in server && server.auth === undefined && Object.keys(server.headers ?? {}).length === 0;
    this.reads = isPublic ? "untrusted" : ["untrusted", "private"];
  }

  /** @throws {McpServerError} If the server doesn't start. */
  async open(signal?: AbortSignal): Promise<OpenClient> {
    if (this.#isClosed) throw new McpServerError(`the MCP server "${this.name}" is closed`, this.name, "");
    this.#opening ??= this.#open(signal).catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return await this.#opening;
  }

  /** @throws {McpServerError} If the server doesn't start, or doesn't list its tools. */
  async listTools(signal?: AbortSignal): Promise<readonly Tool[]> {
    const { tools } = await this.ask(
      "list its tools",
      (client, own) => client.listTools(undefined, { ...own, cacheMode: "refresh" }),
      { signal },
    );
    return tools;
  }

  /**
   * Sends a request that changes nothing, once more if the server has been restarted since.
   *
   * @param what - The request, as a phrase after "did not".
   * @throws {McpServerError} If the server doesn't start, or doesn't answer.
   */
  async ask<T>(
    what: string,
    request: (client: Client, options: RequestOptions) => Promise<T>,
    patience: Patience = {},
  ): Promise<T> {
    const { signal, timeoutMs = this.#options.startTimeoutMs } = patience;
    const isFresh = this.#standing === undefined;
    const open = await this.open(signal);
    try {
      return await request(open.client, {
        timeout: Math.min(timeoutMs, LONGEST_MS),
        ...(signal && { signal }),
      });
    } catch (error) {
      signal?.throwIfAborted();
      const isGone = this.#standing !== open || isUnknownSession(error) || isUnreachable(error);
      if (isGone && !isFresh && !this.#isClosed) {
        await this.#drop(open, "the connection ended");
        return await this.ask(what, request, patience);
      }
      const why = error instanceof Error ? error.message : String(error);
      throw new McpServerError(`the MCP server "${this.name}" did not ${what}: ${why}`, this.name, open.stderr(), {
        cause: error,
      });
    }
  }

  /** @throws {ToolError} If the server can no longer be reached, or refuses the call, in words for the model. */
  async call(call: McpCall): Promise<CallToolResult> {
    this.#calls.add(call);
    try {
      return await this.#callAgain(call);
    } finally {
      this.#calls.delete(call);
    }
  }

  async #callAgain(call: McpCall): Promise<CallToolResult> {
    let waits = 0;
    let hasAsked = false;
    for (let isFirst = true; ; isFirst = false) {
      const open = await this.#openForCall();
      try {
        const result = await this.#request(open, call);
        const wasRestarted = this.#unproven;
        this.#unproven = false;
        // It may have other tools than before.
        if (wasRestarted) this.#options.onToolsChanged();
        return result;
      } catch (error) {
        call.signal.throwIfAborted();
        const isLost = this.#standing !== open;
        const isForgotten = !isLost && isUnknownSession(error);
        if (isForgotten) await this.#drop(open, "it has forgotten this session");
        const waitMs = isLost || !wasNeverSent(error) ? undefined : RESTART_WAITS_MS[waits++];
        if (waitMs !== undefined && !this.#isClosed) {
          await sleep(waitMs, call.signal);
          continue;
        }
        // A call that waits for a page is refused before it is executed.
        if (error instanceof UrlElicitationRequiredError && !hasAsked && (await this.#opensPages(error))) {
          hasAsked = true;
          continue;
        }
        // A call refused for an unknown session was not executed.
        const mayRepeat = isForgotten || (call.repeatable && (isLost || isUnreachable(error)));
        if (isFirst && !this.#isClosed && mayRepeat) continue;
        if (isLost)
          throw new ToolError(`the MCP server exited during this call (${this.#lastEnding})`, { cause: error });
        throw new ToolError(refusalText(error, call), { cause: error });
      }
    }
  }

  /** Closes the connection and ends its process, if any. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const opening = this.#opening;
    this.#standing = undefined;
    await opening?.then((open) => open.close()).catch(() => {});
  }

  /** Allows a server that stays down to be started once more. */
  allowRestart(): void {
    this.#unproven = false;
  }

  async #openForCall(): Promise<OpenClient> {
    if (this.#opening === undefined) {
      if (this.#isClosed) throw new ToolError(`the MCP server "${this.name}" is closed`);
      if (this.#unproven)
        throw new ToolError(
          `the MCP server exited again (${this.#lastEnding}) and will not be restarted; continue without its tools`,
        );
      this.#unproven = true;
      this.#options.logger?.warn({ mcpServer: this.name, ending: this.#lastEnding }, "restarting MCP server");
    }
    try {
      return await this.open();
    } catch (error) {
      this.#lastEnding = "it did not start";
      this.#options.logger?.error({ mcpServer: this.name, err: error }, "MCP server did not start");
      throw new ToolError("the MCP server exited and could not be restarted; continue without its tools", {
        cause: error,
      });
    }
  }

  async #open(signal: AbortSignal | undefined): Promise<OpenClient> {
    let open: OpenClient | undefined;
    open = await openClient(this.#server, {
      timeoutMs: Math.min(this.#options.startTimeoutMs, LONGEST_MS),
      signal,
      logger: this.#options.logger,
      onElicit: this.#options.onElicit && ((params, gone) => this.#elicit(params, gone)),
      onToolsChanged: () => this.#options.onToolsChanged(),
      onClose: () => {
        if (open !== undefined) void this.#drop(open, open.ending() ?? "the connection ended");
      },
    });
    this.#standing = open;
    // The server may have ended since it answered.
    if (open.ending() !== undefined) void this.#drop(open, open.ending() ?? "");
    return open;
  }

  async #drop(open: OpenClient, ending: string): Promise<void> {
    if (this.#standing !== open) return;
    this.#standing = undefined;
    this.#opening = undefined;
    this.#lastEnding = ending;
    await open.close();
  }

  /** Asks the person on behalf of the server, with the clocks of its calls paused. */
  async #elicit(params: ElicitRequest["params"], gone?: AbortSignal): Promise<ElicitResult> {
    const { onElicit, elicitTimeoutMs = 600_000, logger } = this.#options;
    const calls = [...this.#calls];
    // Nobody waits for the answer once all the calls are over.
    const over = new AbortController();
    const onAbort = (): void => {
      if (gone?.aborted === true || calls.every(({ signal }) => signal.aborted)) over.abort();
    };
    gone?.addEventListener("abort", onAbort);
    for (const { clock, signal } of calls) {
      clock?.pause();
      signal.addEventListener("abort", onAbort);
    }
    const timer = setTimeout(() => over.abort(), Math.min(elicitTimeoutMs, LONGEST_MS));
    try {
      const asking = calls.map(({ tool, args, context }) => ({ tool: tool.name, args, context }));
      const context = { server: this.name, calls: asking, signal: over.signal };
      if (onElicit === undefined) return { action: "decline" };
      const answer = (): Promise<ElicitResult> => answerElicitation(params, onElicit, context, logger);
      // With several calls in progress, nobody knows which one asks.
      const call = calls.length === 1 ? calls[0] : undefined;
      return call === undefined ? await answer() : await keepAnswer(params, ++call.questions, call.context, answer);
    } finally {
      clearTimeout(timer);
      for (const { clock, signal } of calls) {
        clock?.resume();
        signal.removeEventListener("abort", onAbort);
      }
    }
  }

  /** True once the person has opened every page that a call waits for. */
  async #opensPages({ elicitations }: UrlElicitationRequiredError): Promise<boolean> {
    if (this.#options.onElicit === undefined || elicitations.length === 0) return false;
    for (const params of elicitations) if ((await this.#elicit(params)).action !== "accept") return false;
    return true;
  }

  async #request({ client }: OpenClient, call: McpCall): Promise<CallToolResult> {
    const { tool, args, signal, timeoutMs } = call;
    const { traceparent } = call.context;
    return await client.callTool(
      { name: tool.name, arguments: args, ...(traceparent !== undefined && { _meta: { traceparent } }) },
      {
        signal,
        // The tool's own limit expires first and cancels the call; this one is for platform timers.
        timeout: Math.min(timeoutMs + 1_000, LONGEST_MS),
        onprogress: (progress) => call.onProgress(progress),
        // A result that doesn't match the server's own output schema is still its result.
        toolDefinition: { ...tool, outputSchema: undefined },
      },
    );
  }
}

/** The server behind the address was restarted: it answers, but doesn't know this client's session. */
function isUnknownSession(error: unknown): boolean {
  if (!(error instanceof Error) || !("status" in error)) return false;
  return error.status === 404 || (error.status === 400 && /session/i.test(error.message));
}

/** Nothing is listening, or the connection broke, as `fetch` reports it. */
function isUnreachable(error: unknown): boolean {
  return error instanceof TypeError;
}

function refusalText(error: unknown, { tool }: McpCall): string {
  if (error instanceof UrlElicitationRequiredError)
    return `${tool.name} did not run: the person must open a page first, and did not`;
  const why = error instanceof Error ? error.message : String(error);
  return `${tool.name} failed: ${why}`;
}
