/**
 * The answer to a preflight, which lets a web page of another origin send its request; undefined for any other request.
 *
 * As the service does it, the origin and the headers that are asked for are said back. The service refuses a preflight that
 * names a header it does not know, with a 403; its list is not public, so every header is allowed here.
 *
 * @see https://github.com/googleapis/js-genai/issues/1723
 */
export function preflightAnswer(method: string, headers: Headers): Response | undefined {
  const origin = headers.get("origin");
  const wanted = headers.get("access-control-request-method");
  if (method !== "OPTIONS" || origin === null || wanted === null) return undefined;
  const names = headers.get("access-control-request-headers");
  return new Response(null, {
    headers: {
      "access-control-allow-origin": origin,
      "access-control-allow-methods": wanted,
      ...(names !== null && { "access-control-allow-headers": names }),
      "access-control-max-age": "3600",
      "content-length": "0",
      vary: "Origin",
    },
  });
}

/** What an answer says beside its own headers when a page asks: it may be read, with all of its headers. */
export function corsHeaders(asked: Headers, answer: Headers): Record<string, string> {
  const origin = asked.get("origin");
  if (origin === null) return {};
  return {
    "access-control-allow-origin": origin,
    "access-control-expose-headers": [...answer.keys()].join(", "),
  };
}
