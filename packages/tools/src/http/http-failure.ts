import { ToolError } from "@pollux/core";

const ADVICE: { readonly [code: string]: string } = {
  ENOTFOUND: "the host does not exist; check its spelling",
  EAI_AGAIN: "the host name cannot be resolved right now; try again later",
  ECONNREFUSED: "the host refuses connections; check the host and port",
  ECONNRESET: "the connection was lost; try again",
  EPIPE: "the connection was lost; try again",
  ENETUNREACH: "the host cannot be reached; try another URL",
  EHOSTUNREACH: "the host cannot be reached; try another URL",
  ETIMEDOUT: "the host does not respond; try another URL",
  UND_ERR_CONNECT_TIMEOUT: "the host does not respond; try another URL",
  UND_ERR_HEADERS_TIMEOUT: "the host does not respond; try another URL",
  UND_ERR_BODY_TIMEOUT: "the host stopped sending; try another URL",
  UND_ERR_HEADERS_OVERFLOW: "the response headers are too large; try another URL",
  UND_ERR_SOCKET: "the connection was lost; try again",
  HPE_HEADER_OVERFLOW: "the response headers are too large; try another URL",
  Z_DATA_ERROR: "the compressed response is invalid; try another URL",
  Z_BUF_ERROR: "the compressed response is invalid; try another URL",
};

const NO_HTTP = "its response is not HTTP; try another URL";

/** Not all parser errors have a code. */
function isParserError(error: unknown): boolean {
  return error instanceof Error && error.name === "HTTPParserError";
}

/** Explains a network error to the model. A {@link ToolError} among the causes is returned unchanged. */
export function httpFailure(error: unknown, shown: string): ToolError {
  // Refusals while connecting may be wrapped or aggregated.
  for (const one of causes(error)) if (one instanceof ToolError) return one;
  for (const one of causes(error)) {
    const code = typeof one === "object" && one !== null && "code" in one ? String(one.code) : "";
    const advice = ADVICE[code] ?? (isParserError(one) ? NO_HTTP : adviceOfKind(code));
    if (advice !== undefined) return new ToolError(`${shown} cannot be fetched: ${advice}`, { cause: error });
  }
  const reason = error instanceof Error ? error.message.slice(0, 200) : "unknown reason";
  return new ToolError(`${shown} cannot be fetched: ${reason}; try another URL`, { cause: error });
}

function adviceOfKind(code: string): string | undefined {
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) return "its certificate is invalid; try another URL";
  // Brotli's own codes.
  return code.startsWith("ERR__ERROR") ? ADVICE["Z_DATA_ERROR"] : undefined;
}

/** The error, its causes, and the errors it aggregates, a few levels deep. */
function causes(error: unknown, depth = 0): readonly unknown[] {
  if (depth > 4 || typeof error !== "object" || error === null) return [];
  const parts = error instanceof AggregateError ? (error.errors as readonly unknown[]) : [];
  const cause = "cause" in error ? [error.cause] : [];
  return [error, ...[...parts, ...cause].flatMap((one) => causes(one, depth + 1))];
}
