import { AgentError } from "../../errors/agent-error.ts";
import { ApiNetworkError } from "../../errors/api-errors.ts";
import { type Environment, processEnvironment } from "../../internal/environment.ts";
import { isLoopback } from "../endpoints/endpoint.ts";
import { hostAndPath } from "../errors/status-error.ts";
import { redact } from "../secrets/redact.ts";

/**
 * What a `fetch` threw, as an error that says what to do.
 *
 * @param what - What happened: no response, or one that broke off.
 * @param secrets - Redacted in what the error repeats.
 */
export function networkError(
  error: unknown,
  url: string,
  what: string,
  secrets: readonly string[],
  env: Environment = processEnvironment(),
): Error {
  if (error instanceof AgentError) return error;
  const reasons = readReasons(error);
  const why = reasons.length > 0 ? ` (${redact(reasons.join(": "), secrets)})` : "";
  return new ApiNetworkError(`${what} ${hostAndPath(url) ?? "the endpoint"}${why}; ${adviseOn(reasons, url, env)}.`, {
    cause: error,
  });
}

/** The codes of an error and its cause, or their messages. */
function readReasons(error: unknown): string[] {
  return [error, error instanceof Error ? error.cause : undefined]
    .map((cause) =>
      cause instanceof Error ? ("code" in cause && typeof cause.code === "string" && cause.code) || cause.message : "",
    )
    .filter((text) => text !== "");
}

const PROXY_VARIABLES = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];

/** The host does not exist, or cannot be reached from here. */
const UNREACHABLE = /^(?:ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|UND_ERR_CONNECT_TIMEOUT)$/;

const UNTRUSTED = /CERT|^UNABLE_TO_/;

function adviseOn(reasons: readonly string[], url: string, env: Environment): string {
  const isAny = (pattern: RegExp): boolean => reasons.some((reason) => pattern.test(reason));
  if (isAny(UNTRUSTED))
    return "its certificate is not trusted: behind a company's proxy, set NODE_EXTRA_CA_CERTS to the file of its certificate";
  if (isLoopback(url))
    return isAny(/^ECONNREFUSED$/)
      ? "nothing listens there: start the server (`npx @pollux/cli emulator --port 8787` is one), or correct the base URL"
      : DEFAULT;
  const proxy = PROXY_VARIABLES.find((name) => env[name]);
  if (proxy !== undefined) {
    const usesProxy = isAny(/^ERR_PROXY_TUNNEL$/) || env["NODE_USE_ENV_PROXY"] === "1";
    if (usesProxy) return `check the address of the proxy in ${proxy}, and the user and password in it`;
    if (isAny(UNREACHABLE))
      return `${proxy} is set, but Node uses it only with NODE_USE_ENV_PROXY=1 (Node 22.21, 24.5 or later)`;
  }
  return DEFAULT;
}

const DEFAULT = "check the network and the base URL";
