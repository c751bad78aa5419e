import type { Problem, StatusWord } from "./problem.ts";
import type { Profile, Refusal } from "./types.ts";

const CODES: Readonly<Record<StatusWord, number>> = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  RESOURCE_EXHAUSTED: 429,
  UNAVAILABLE: 503,
};

/** The framing of the answer, which determines the framing of the rejection. */
export interface Framing {
  readonly profile: Profile;
  readonly stream: boolean;
  readonly sse: boolean;
}

/** The rejection for problems reported together: the first one determines the rule and the status. */
export function refuse(problems: readonly [Problem, ...Problem[]], framing: Framing): Refusal {
  const [first] = problems;
  const message = problems.map((problem) => problem.message).join("\n");
  const status = first.code ?? CODES[first.status ?? "INVALID_ARGUMENT"];
  if (framing.profile === "comet") return gatewayRefusal(first, message, status);
  const details = first.details ?? fieldViolations(problems);
  const error = {
    code: status,
    message,
    status: first.status ?? "INVALID_ARGUMENT",
    ...(details.length > 0 ? { details } : {}),
  };
  // Without server-sent events, a stream is a JSON array, and so is its rejection.
  const body = framing.stream && !framing.sse ? [{ error }] : { error };
  const type = framing.sse ? "text/event-stream" : "application/json; charset=UTF-8";
  return { status, headers: { "content-type": type }, body: `${JSON.stringify(body, null, 2)}\n`, rule: first.rule };
}

/** The page that Google's front end sends for unknown addresses: not JSON. */
export function notFoundPage(path: string): Refusal {
  const shown = path.replaceAll(/[<>&"]/g, (character) => `&#${character.charCodeAt(0)};`);
  const body = `<!DOCTYPE html>
<html lang=en>
  <meta charset=utf-8>
  <title>Error 404 (Not Found)!!1</title>
  <p><b>404.</b> <ins>That’s an error.</ins>
  <p>The requested URL <code>${shown}</code> was not found on this server.  <ins>That’s all we know.</ins>
`;
  return { status: 404, headers: { "content-type": "text/html; charset=UTF-8" }, body, rule: "A-7" };
}

function fieldViolations(problems: readonly Problem[]): readonly Readonly<Record<string, unknown>>[] {
  const violations = problems.filter(({ rule, message }) => rule === "E-00" || /^Invalid (?:JSON|value)/.test(message));
  if (violations.length === 0) return [];
  return [
    {
      "@type": "type.googleapis.com/google.rpc.BadRequest",
      fieldViolations: violations.map(({ field, message }) => ({ ...(field ? { field } : {}), description: message })),
    },
  ];
}

/** Gateways of the new-api family wrap the upstream's message and add a request id. */
function gatewayRefusal(first: Problem, message: string, status: number): Refusal {
  const { code, type } = first.gateway ?? { code: "bad_response_status_code", type: "upstream_error" };
  const error = { message: `${message} (request id: 20261121000000000emulated)`, type, param: "", code };
  return {
    status,
    headers: { "content-type": "application/json; charset=utf-8" },
    body: JSON.stringify({ error }),
    rule: first.rule,
  };
}
