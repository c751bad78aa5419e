import { ToolFailure } from "@pollux/core";

const ADVICE: { readonly [code: string]: string } = {
  ENOTFOUND: "the host does not exist; check its spelling",
  EAI_AGAIN: "the host cannot be looked up now; try again later",
  ECONNREFUSED: "the host refuses connections; check the address and the port",
  ECONNRESET: "the connection broke off; try again",
  EPIPE: "the connection broke off; try again",
  ENETUNREACH: "the host cannot be reached; try another address",
  EHOSTUNREACH: "the host cannot be reached; try another address",
  ETIMEDOUT: "the host does not answer; try another address",
  UND_ERR_CONNECT_TIMEOUT: "the host does not answer; try another address",
  UND_ERR_HEADERS_TIMEOUT: "the host does not answer; try another address",
  UND_ERR_BODY_TIMEOUT: "the host stopped sending; try another address",
  UND_ERR_HEADERS_OVERFLOW: "the head of the answer is too large; try another address",
  UND_ERR_SOCKET: "the connection broke off; try again",
  HPE_HEADER_OVERFLOW: "the head of the answer is too large; try another address",
  Z_DATA_ERROR: "the answer is compressed wrongly; try another address",
  Z_BUF_ERROR: "the answer is compressed wrongly; try another address",
};

const NO_HTTP = "its answer is not HTTP; try another address";

/** Not all of them have a code. */
function isParserError(error: unknown): boolean {
  return error instanceof Error && error.name === "HTTPParserError";
}

/** An error of the network in words for the model. Failures pass as they are. */
export function httpFailure(error: unknown, shown: string): ToolFailure {
  // Refusals while connecting may come wrapped, or several together.
  for (const one of causes(error)) if (one instanceof ToolFailure) return one;
  for (const one of causes(error)) {
    const code = typeof one === "object" && one !== null && "code" in one ? String(one.code) : "";
    const advice = ADVICE[code] ?? (isParserError(one) ? NO_HTTP : adviceOfKind(code));
    if (advice !== undefined) return new ToolFailure(`${shown} cannot be fetched: ${advice}`, { cause: error });
  }
  const reason = error instanceof Error ? error.message.slice(0, 200) : "unknown reason";
  return new ToolFailure(`${shown} cannot be fetched: ${reason}; try another address`, { cause: error });
}

function adviceOfKind(code: string): string | undefined {
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code))
    return "its certificate is not valid; try another address";
  // Brotli's own.
  return code.startsWith("ERR__ERROR") ? ADVICE["Z_DATA_ERROR"] : undefined;
}

/** The error, what caused it, and what it is made of; not deeper than a few steps. */
function causes(error: unknown, depth = 0): readonly unknown[] {
  if (depth > 4 || typeof error !== "object" || error === null) return [];
  const parts = error instanceof AggregateError ? (error.errors as readonly unknown[]) : [];
  const cause = "cause" in error ? [error.cause] : [];
  return [error, ...[...parts, ...cause].flatMap((one) => causes(one, depth + 1))];
}
