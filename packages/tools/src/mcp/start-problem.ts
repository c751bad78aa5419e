import { existsSync } from "node:fs";
import { UnauthorizedError } from "@modelcontextprotocol/client";
import type { McpProblem } from "./mcp-server-error.ts";
import type { McpAddress, McpCommand } from "./server-options.ts";

/** Why a start failed, and what to do. */
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
  const chain = causesOf(error);
  const codes = new Set(chain.map(codeOf));
  if (codes.has("REQUEST_TIMEOUT")) {
    const wait = "raise `startTimeoutMs` if it downloads something first";
    return { reason: "timeout", text: `it did not respond within ${timeoutMs} ms; ${wait}` };
  }
  const why = chain.map(({ message }) => message).join(": ");
  const [reason, advice] = "url" in server ? addressAdvice(chain, codes, server) : commandAdvice(codes, server);
  if (advice !== undefined) return { reason, text: `${why}; ${advice}` };
  if (codes.has("ERA_NEGOTIATION_FAILED") || /protocol version/i.test(why))
    return { reason: "version", text: `${why}; update the server, or @modelcontextprotocol/client` };
  return { reason: "other", text: why };
}

/** True if a request was never sent: nothing listens, or the host is unknown. */
export function wasNeverSent(error: unknown): boolean {
  return causesOf(error).some((one) => NEVER_SENT.has(codeOf(one) ?? ""));
}

const NEVER_SENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

type Codes = ReadonlySet<string | undefined>;

function commandAdvice(codes: Codes, { cwd }: McpCommand): [McpProblem, string?] {
  if (codes.has("EACCES")) return ["not-found", "make the file executable, or start it with its interpreter"];
  if (!codes.has("ENOENT")) return ["other"];
  if (cwd !== undefined && !existsSync(cwd)) return ["not-found", "the folder in `cwd` does not exist"];
  return ["not-found", "install the program, or give its full path"];
}

function addressAdvice(chain: readonly Error[], codes: Codes, { auth }: McpAddress): [McpProblem, string?] {
  const status = chain.map((one) => ("status" in one ? one.status : undefined)).find((one) => one !== undefined);
  const isUnauthorized = chain.some((one) => one instanceof UnauthorizedError);
  if (isUnauthorized && typeof auth === "object" && "redirectToAuthorization" in auth)
    return ["unauthorized", "once the person has signed in, call `finishMcpAuth()` and connect again"];
  if (isUnauthorized || status === 401 || status === 403)
    return ["unauthorized", `${auth === undefined ? "pass" : "check"} \`auth\`: a bearer token, or an OAuth provider`];
  if (status === 404 || status === 405)
    return ["not-mcp", "check the path, often /mcp; the older transport over SSE alone is not supported"];
  if (codes.has("ECONNREFUSED")) return ["unreachable", "start the server, or check host and port"];
  if (chain.some((one) => one instanceof TypeError)) return ["unreachable", "check the address"];
  return ["other"];
}

function codeOf(error: Error): string | undefined {
  return "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** The error and its causes, nearest first. */
function causesOf(error: unknown): readonly Error[] {
  const chain: Error[] = [];
  for (let one = error; one instanceof Error && chain.length < MOST_CAUSES; one = one.cause) chain.push(one);
  return chain;
}

const MOST_CAUSES = 5;
