import { existsSync } from "node:fs";
import { UnauthorizedError } from "@modelcontextprotocol/client";
import type { McpProblem } from "./mcp-server-error.ts";
import type { McpAddress, McpCommand } from "./server-options.ts";

/** What went wrong at a start, in words that say what to do. */
export interface StartProblem {
  readonly reason: McpProblem;
  readonly text: string;
}

/** Why a server did not start. @param ended - How its process ended, if it did. */
export function startProblem(
  error: unknown,
  server: McpCommand | McpAddress,
  timeoutMs: number,
  ended: string | undefined,
): StartProblem {
  if (ended !== undefined) return { reason: "ended", text: `it ended with ${ended}` };
  if (!(error instanceof Error)) return { reason: "other", text: String(error) };
  const code = codeOf(error) ?? codeOf(error.cause);
  if (code === "REQUEST_TIMEOUT") {
    const wait = "allow it more `startTimeoutMs` if it downloads something first";
    return { reason: "timeout", text: `it did not respond within ${timeoutMs} ms; ${wait}` };
  }
  const said = `${error.message}${error.cause instanceof Error ? `: ${error.cause.message}` : ""}`;
  const [reason, advice] = "url" in server ? addressAdvice(error, code, server) : commandAdvice(code, server);
  if (advice !== undefined) return { reason, text: `${said}; ${advice}` };
  if (code === "ERA_NEGOTIATION_FAILED" || /protocol version/i.test(said))
    return { reason: "version", text: `${said}; update the server, or @modelcontextprotocol/client` };
  return { reason: "other", text: said };
}

/** True if a request was never sent: nothing listens, or the host is not known. */
export function wasNeverSent(error: unknown): boolean {
  const code = error instanceof Error ? codeOf(error.cause) : undefined;
  return code !== undefined && NEVER_SENT.has(code);
}

const NEVER_SENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

function commandAdvice(code: string | undefined, { cwd }: McpCommand): [McpProblem, string?] {
  if (code === "EACCES") return ["not-found", "make the file executable, or start it with its interpreter"];
  if (code !== "ENOENT") return ["other"];
  if (cwd !== undefined && !existsSync(cwd)) return ["not-found", "the folder in `cwd` does not exist"];
  return ["not-found", "install the program, or give its full path"];
}

function addressAdvice(error: Error, code: string | undefined, { auth }: McpAddress): [McpProblem, string?] {
  const status = "status" in error ? error.status : undefined;
  if (error instanceof UnauthorizedError && typeof auth === "object" && "redirectToAuthorization" in auth)
    return ["unauthorized", "once the person has signed in, call `finishMcpAuth()` and connect again"];
  if (error instanceof UnauthorizedError || status === 401 || status === 403)
    return ["unauthorized", `${auth === undefined ? "pass" : "check"} \`auth\`: a bearer token, or an OAuth provider`];
  if (status === 404 || status === 405)
    return ["not-mcp", "check the path, often /mcp; the older transport over SSE alone is not supported"];
  if (code === "ECONNREFUSED") return ["unreachable", "start the server, or check host and port"];
  if (error instanceof TypeError || NEVER_SENT.has(code ?? "")) return ["unreachable", "check the address"];
  return ["other"];
}

function codeOf(error: unknown): string | undefined {
  // `fetch` puts the failures of all addresses of a host into one error.
  if (error instanceof AggregateError && !("code" in error)) return codeOf(error.errors[0]);
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
