import {
  createMcpHandler,
  isLegacyRequest,
  localhostAllowedHostnames,
  type Server,
  validateHostHeader,
  validateOriginHeader,
} from "@modelcontextprotocol/server";
import type { Logger } from "@pollux/core";
import { listen } from "@pollux/core/serving-node";
import type { McpHttpPlace, McpServerHandle } from "./serve-options.ts";
import { Sessions } from "./sessions.ts";

/**
 * Serves over streamable HTTP, to clients with sessions and to clients of newer revisions, which have none.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http
 */
export async function serveHttp(
  newServer: () => Server,
  place: McpHttpPlace,
  logger: Logger | undefined,
): Promise<McpServerHandle> {
  const { port = 0, host = "127.0.0.1", path = "/mcp", authorize } = place;
  const allowed = allowedHosts(host, place.allowedHosts);
  const sessions = new Sessions(newServer);
  const handler = createMcpHandler(newServer, {
    legacy: "reject",
    onerror: (error) => logger?.debug({ err: error }, "MCP server"),
  });
  const answer = async (request: Request): Promise<Response> => {
    const { headers } = request;
    const hostCheck = validateHostHeader(headers.get("host"), allowed);
    if (!hostCheck.ok) return refused(403, hostCheck.message);
    const originCheck = validateOriginHeader(headers.get("origin"), allowed);
    if (!originCheck.ok) return refused(403, originCheck.message);
    if (new URL(request.url).pathname !== path) return refused(404, `MCP is served at ${path}`);
    try {
      if (authorize !== undefined && !(await authorize(request))) return refused(401, "not authorized");
      return (await isLegacyRequest(request)) ? await sessions.answer(request) : await handler.fetch(request);
    } catch (error) {
      logger?.error({ err: error }, "MCP server");
      return refused(500, "the server failed");
    }
  };
  const server = await listen(answer, { host, port });
  const close = async (): Promise<void> => {
    await Promise.all([sessions.close(), handler.close()]);
    await server.close();
  };
  return {
    url: server.url + path,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function allowedHosts(host: string, given: readonly string[] | undefined): string[] {
  if (given !== undefined) return [...given];
  if (host === "0.0.0.0" || host === "::")
    throw new TypeError(
      `serveMcp(): host ${host} is reachable under any name; list the permitted names in allowedHosts`,
    );
  return [...localhostAllowedHostnames(), host.includes(":") ? `[${host}]` : host];
}

function refused(status: number, message: string): Response {
  return Response.json({ jsonrpc: "2.0", error: { code: -32_000, message }, id: null }, { status });
}
