import {
  type AuthProvider,
  Client,
  type ElicitRequest,
  type ElicitResult,
  StreamableHTTPClientTransport,
} from "@modelcontextprotocol/client";
import type { Logger } from "@pollux/core";
import { redact, redactValue, findSecrets } from "@pollux/core/wire";
import { McpServerError } from "./mcp-server-error.ts";
import { ProcessTransport } from "./process-transport.ts";
import { serverName } from "./server-name.ts";
import type { McpAddress, McpCommand } from "./server-options.ts";
import { startProblem } from "./start-problem.ts";
import { environmentSecrets, StderrTail } from "./stderr-tail.ts";
import { unheldTimer, unholdStreams } from "./unheld-streams.ts";

/** This package's version, sent to servers. */
const VERSION = "0.1.0";

/** An open connection. */
export interface OpenClient {
  readonly client: Client;
  /** How the server's process ended, such as `exit code 1`; undefined while it runs, and for a URL. */
  ending(): string | undefined;
  /** The end of the server's stderr. */
  stderr(): string;
  /** Disconnects; resolves once a child process has ended. Never rejects. */
  close(): Promise<void>;
}

/** How to connect, and the callbacks for what arrives. */
export interface OpenClientOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly logger?: Logger | undefined;
  /** Answers the server's questions to the person; undefined if nobody can be asked. */
  readonly onElicit?: ((params: ElicitRequest["params"], signal: AbortSignal) => Promise<ElicitResult>) | undefined;
  onToolsChanged(): void;
  onClose(): void;
}

/**
 * Starts or connects to the server, and performs the handshake.
 *
 * @throws {McpServerError} With the server's name and the end of its stderr.
 * @throws The signal's reason, if it aborts.
 */
export async function openClient(server: McpCommand | McpAddress, options: OpenClientOptions): Promise<OpenClient> {
  const { timeoutMs, signal, logger } = options;
  const name = serverName(server);
  const secrets = "url" in server ? addressSecrets(server) : environmentSecrets(server.env ?? {});
  const stderr = new StderrTail(secrets, name, logger);
  const transport = "url" in server ? addressTransport(server) : new ProcessTransport(server, stderr);
  const client = new Client(
    { name: "pollux", version: VERSION },
    {
      listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => options.onToolsChanged() } },
      ...(options.onElicit && { capabilities: { elicitation: { form: {}, url: {} } } }),
      // A child process that knows only older revisions may exit on a request it doesn't know.
      ...("url" in server && { versionNegotiation: { mode: "auto" } }),
    },
  );
  // The SDK uses callbacks, not events.
  // oxlint-disable-next-line unicorn/prefer-add-event-listener
  client.onerror = (error) => logger?.debug({ mcpServer: name, err: withoutSecrets(error, secrets) }, "MCP connection");
  let isLeft = false;
  // oxlint-disable-next-line unicorn/prefer-add-event-listener
  client.onclose = () => {
    if (!isLeft) options.onClose();
  };
  client.setNotificationHandler("notifications/message", ({ params }) =>
    logger?.debug(
      { mcpServer: name, level: params.level, data: redactValue(params.data, secrets) },
      "MCP server's log",
    ),
  );
  const { onElicit } = options;
  if (onElicit !== undefined)
    client.setRequestHandler("elicitation/create", ({ params }, { mcpReq }) => onElicit(params, mcpReq.signal));
  const stopUnholding = "url" in server ? unholdStreams(new URL(server.url)) : undefined;
  const ending = (): string | undefined => (transport instanceof ProcessTransport ? transport.ending : undefined);
  const close = async (): Promise<void> => {
    isLeft = true;
    stopUnholding?.();
    if (transport instanceof StreamableHTTPClientTransport)
      await withinASecond(transport.terminateSession()).catch(() => {});
    await client.close().catch(() => {});
    await transport.close().catch(() => {});
  };
  try {
    await client.connect(transport, { timeout: timeoutMs, ...(signal && { signal }) });
  } catch (error) {
    if (transport instanceof ProcessTransport) await transport.finishReading();
    const ended = ending();
    await close();
    signal?.throwIfAborted();
    const cause = withoutSecrets(error, secrets);
    const { reason, text } = startProblem(error, server, timeoutMs, ended);
    const message = startFailureText(name, redact(text, secrets), stderr.text());
    throw new McpServerError(message, name, stderr.text(), { cause, reason });
  }
  return { client, ending, stderr: () => stderr.text(), close };
}

function addressTransport({ url, headers, auth }: McpAddress): StreamableHTTPClientTransport {
  const authProvider: AuthProvider | undefined = typeof auth === "string" ? { token: async () => auth } : undefined;
  return new StreamableHTTPClientTransport(new URL(url), {
    reconnectionScheduler: unheldTimer,
    ...(headers && { requestInit: { headers } }),
    ...(auth !== undefined && { authProvider: authProvider ?? (auth as AuthProvider) }),
  });
}

function addressSecrets({ headers, auth }: McpAddress): readonly string[] {
  return findSecrets({ ...headers, ...(typeof auth === "string" && { "the token": auth }) });
}

/** The error itself if it shows no secret; otherwise only its name and its message without them. */
function withoutSecrets(error: unknown, secrets: readonly string[], depth = 0): unknown {
  if (depth > MAX_CAUSES) return undefined;
  if (!(error instanceof Error)) {
    const clean = redactValue(error, secrets);
    return asJson(clean) === asJson(error) ? error : clean;
  }
  const cause = withoutSecrets(error.cause, secrets, depth + 1);
  const shown = `${error.message}\n${error.stack}\n${asJson(error)}`;
  if (cause === error.cause && redact(shown, secrets) === shown) return error;
  return Object.assign(new Error(redact(error.message, secrets), { cause }), { name: error.name });
}

/** Deeper causes are left out. */
const MAX_CAUSES = 10;

function asJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return "";
  }
}

function startFailureText(name: string, why: string, stderr: string): string {
  const output = stderr === "" ? "" : `\nIts stderr ends with:\n${stderr.slice(-2_000)}`;
  return `the MCP server "${name}" did not start: ${why}${output}`;
}

async function withinASecond(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, 1_000);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
