/**
 * The answer to a preflight, which lets a web page from another origin send its request; undefined for any other request.
 *
 * Like the service, it echoes the requested origin and headers. The service rejects a preflight with an unknown header with a 403;
 * its list is not public, so every header is allowed here.
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

/** Extra headers of an answer to a web page, which let the page read the answer and all of its headers. */
export function corsHeaders(request: Headers, answer: Headers): Record<string, string> {
  const origin = request.get("origin");
  if (origin === null) return {};
  return {
    "access-control-allow-origin": origin,
    "access-control-expose-headers": [...answer.keys()].join(", "),
  };
}
