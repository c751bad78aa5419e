import { prettyJson } from "../internal/json.ts";
import { gatewayError, googleError } from "./error-body.ts";
import type { StatusFault } from "./fault.ts";

/** An error status with this JSON body. */
export function statusFault(rule: string, status: number, body: unknown): StatusFault {
  return { kind: "status", rule, status, contentType: "application/json; charset=UTF-8", body: prettyJson(body) };
}

/** Any error in Google's shape. */
export function apiError(code: number, status: string, message: string): StatusFault {
  return statusFault(`${code}`, code, googleError(code, status, message));
}

/** S-1: the model is overloaded, in either of the service's wordings. */
export function overloaded(options: { readonly wording?: "overloaded" | "high-demand" | undefined } = {}): StatusFault {
  const message =
    options.wording === "high-demand"
      ? "This model is currently experiencing high demand. Spikes in demand are usually temporary. Please try again later."
      : "The model is overloaded. Please try again later.";
  return statusFault("S-1", 503, googleError(503, "UNAVAILABLE", message));
}

/** S-2: a server bug, often triggered by an overlong context. */
export function internalError(): StatusFault {
  const page = "https://developers.generativeai.google/guide/troubleshooting";
  return statusFault(
    "S-2",
    500,
    googleError(500, "INTERNAL", `An internal error has occurred. Please retry or report in ${page}`),
  );
}

/** S-3: processing the prompt exceeded the deadline. */
export function deadlineExceeded(): StatusFault {
  return statusFault(
    "S-3",
    504,
    googleError(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
  );
}

/** S-4: the server believes that the caller has disconnected. */
export function cancelled(): StatusFault {
  return statusFault("S-4", 499, googleError(499, "CANCELLED", "The operation was cancelled."));
}

/** S-5: an edge server answers with an HTML page. */
export function htmlPage(status: 502 | 504 | 413 = 502): StatusFault {
  const title = { 502: "502 Bad Gateway", 504: "504 Gateway Time-out", 413: "413 Request Entity Too Large" }[status];
  const body = `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`;
  return { kind: "status", rule: "S-5", status, contentType: "text/html; charset=UTF-8", body };
}

/** S-12: the error object inside an array, as on streams without `alt=sse`. */
export function arrayWrappedError(fault: StatusFault = overloaded()): StatusFault {
  return { ...fault, ...statusFault("S-12", fault.status, [JSON.parse(fault.body)]) };
}

/** S-13: an error in the shape of the one-api family of gateways. */
export function gatewayStatus(
  options: {
    readonly status?: number | undefined;
    readonly message?: string | undefined;
    readonly code?: string | undefined;
  } = {},
): StatusFault {
  const {
    status = 500,
    message = "bad response status code 500 (request id: 20261121093000000000)",
    code = "bad_response_status_code",
  } = options;
  return statusFault("S-13", status, gatewayError(message, code));
}
