import { type ErrorDetail, googleError, quotaFailure, quotaHelp, retryInfo } from "./error-body.ts";
import type { StatusFault } from "./fault.ts";
import { statusFault } from "./status-faults.ts";

/** Contents of a quota error. */
export interface QuotaOptions {
  /** Protobuf duration, such as `"0.2s"` or `"34.07s"`. Default: 38 s per minute, 34.07 s per day. */
  readonly retryDelay?: string | undefined;
  /** Default: the model of the request. */
  readonly model?: string | undefined;
  /** Requests allowed. Default: 5 per minute, 20 per day. */
  readonly limit?: number | undefined;
}

const EXCEEDED =
  "You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.";
const MONITOR = "To monitor your current usage, head to: https://ai.dev/rate-limit.";
const REQUESTED = "{model}";
const PER_MINUTE = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier";
const PER_DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier";

/** the per-minute quota is used up; waiting helps. */
export function perMinuteQuota(options: QuotaOptions = {}): StatusFault {
  return quota("Q-1", PER_MINUTE, { retryDelay: "38s", limit: 5, ...options });
}

/** the daily quota is used up; the short delay in the error doesn't help. */
export function perDayQuota(options: QuotaOptions = {}): StatusFault {
  return quota("Q-2", PER_DAY, { retryDelay: "34.07s", limit: 20, ...options });
}

/** this model is not included in the account's tier. */
export function tierWithoutModel(options: QuotaOptions = {}): StatusFault {
  return quota("Q-3", PER_DAY, { retryDelay: "34.07s", ...options, limit: 0 });
}

/** The tier whose limit on input tokens per minute applies. */
export type QuotaTier = keyof typeof INPUT_TOKENS;

/** Metric, id and usual limit of the input tokens of a minute. */
const INPUT_TOKENS = {
  free: {
    metric: "generate_content_free_tier_input_token_count",
    id: "GenerateContentInputTokensPerModelPerMinute-FreeTier",
    limit: 250_000,
  },
  paid: {
    metric: "generate_content_paid_tier_input_token_count",
    id: "GenerateContentPaidTierInputTokensPerModelPerMinute",
    limit: 1_000_000,
  },
  "paid-2": {
    metric: "generate_content_paid_tier_2_input_token_count",
    id: "GenerateContentPaidTierInputTokensPerModelPerMinute-PaidTier2",
    limit: 3_000_000,
  },
} as const;

/**
 * the input tokens of the minute are used up; waiting helps. The message gives the wait to the nanosecond, the detail in whole
 * seconds.
 *
 * @param options - `tier` is `"free"`, `"paid"` (default) or `"paid-2"`; `limit` defaults to a usual one of the tier.
 */
export function inputTokenQuota(options: QuotaOptions & { readonly tier?: QuotaTier | undefined } = {}): StatusFault {
  const { tier = "paid", model = REQUESTED, retryDelay = "45.811974541s" } = options;
  const { metric, id, limit: usual } = INPUT_TOKENS[tier];
  const limit = options.limit ?? usual;
  const full = `generativelanguage.googleapis.com/${metric}`;
  const message = `${EXCEEDED} ${MONITOR} \n* Quota exceeded for metric: ${full}, limit: ${limit}, model: ${model}\nPlease retry in ${retryDelay}.`;
  return exhausted("Q-7", 429, message, [
    quotaHelp(),
    quotaFailure(id, model, String(limit), full),
    retryInfo(retryDelay.replace(/^([1-9]\d*)\.\d+s$/, "$1s")),
  ]);
}

/** a 429 without a wait, in either of the service's wordings. */
export function plainQuota(options: { readonly wording?: "quota" | "shared" | undefined } = {}): StatusFault {
  const message =
    options.wording === "shared"
      ? "Resource exhausted. Please try again later. Please refer to https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details."
      : "Resource has been exhausted (e.g. check quota).";
  return exhausted("Q-4", 429, message);
}

/** the prepaid credit is used up. */
export function prepaidEmpty(): StatusFault {
  return exhausted(
    "Q-5",
    402,
    "Your prepayment credits are depleted. Please go to AI Studio to manage your project and billing.",
  );
}

/** too much was spent within ten minutes. */
export function spendRate(options: Pick<QuotaOptions, "retryDelay"> = {}): StatusFault {
  const details = options.retryDelay === undefined ? [] : [retryInfo(options.retryDelay)];
  return exhausted(
    "Q-6",
    429,
    "Your project has exceeded its spend rate for a 10 minute window. Please try again later.",
    details,
  );
}

function quota(rule: string, quotaId: string, options: QuotaOptions): StatusFault {
  const { retryDelay = "38s", model = REQUESTED, limit = 20 } = options;
  const metric = "generativelanguage.googleapis.com/generate_content_free_tier_requests";
  const message = `${EXCEEDED}\n* Quota exceeded for metric: ${metric}, limit: ${limit}, model: ${model}\nPlease retry in ${retryDelay}.`;
  return exhausted(rule, 429, message, [
    quotaHelp(),
    quotaFailure(quotaId, model, String(limit)),
    retryInfo(retryDelay),
  ]);
}

function exhausted(rule: string, status: number, message: string, details: readonly ErrorDetail[] = []): StatusFault {
  return {
    ...statusFault(rule, status, googleError(status, "RESOURCE_EXHAUSTED", message, details)),
    modelText: REQUESTED,
  };
}
