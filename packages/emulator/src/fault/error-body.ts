/** A detail of a Google error, with its `@type`. */
export type ErrorDetail = { readonly "@type": string; readonly [key: string]: unknown };

/** Error object in Google's shape. */
export function googleError(
  code: number,
  status: string,
  message: string,
  details: readonly ErrorDetail[] = [],
): object {
  return { error: { code, message, status, ...(details.length > 0 && { details }) } };
}

/** Error object in the shape of the one-api family of gateways: the code is text, or empty. */
export function gatewayError(message: string, code = "", type = "comet_api_error"): object {
  return { error: { message, type, param: "", code } };
}

const TYPE = "type.googleapis.com/google.rpc";

/** Names the exhausted quota. @param quotaMetric - Default: the requests of the free tier. */
export function quotaFailure(
  quotaId: string,
  model: string,
  quotaValue: string,
  quotaMetric = "generativelanguage.googleapis.com/generate_content_free_tier_requests",
): ErrorDetail {
  const violation = { quotaMetric, quotaId, quotaDimensions: { location: "global", model }, quotaValue };
  return { "@type": `${TYPE}.QuotaFailure`, violations: [violation] };
}

/** The time to wait, such as `"34.07s"`. */
export function retryInfo(retryDelay: string): ErrorDetail {
  return { "@type": `${TYPE}.RetryInfo`, retryDelay };
}

/** The link every quota error carries. */
export function quotaHelp(): ErrorDetail {
  const link = {
    description: "Learn more about Gemini API quotas",
    url: "https://ai.google.dev/gemini-api/docs/rate-limits",
  };
  return { "@type": `${TYPE}.Help`, links: [link] };
}
