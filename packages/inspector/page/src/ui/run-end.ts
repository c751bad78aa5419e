import type { RunRow } from "../../../src/inspection/inspection.ts";

const REASONS: { readonly [stopReason: string]: string } = {
  "repeated-calls": "the model repeated the same calls and got the same results",
  truncated: "the answer hit the output token limit",
  blocked: "the service blocked the answer",
  empty: "the answer was empty, after all retries",
  "bad-call": "the model's calls could not be read, after all retries",
  "invalid-output": "the output does not match its schema, after all retries",
  "unknown-finish": "the model stopped for a reason this version does not know",
  aborted: "aborted",
};

/** Why a run ended, in a sentence; undefined when it reached its end, goes on, or waits for a person. */
export function whyEnded({
  stopReason = "",
  limit,
  error,
  guardrail,
}: Pick<RunRow, "stopReason" | "limit" | "error" | "guardrail">): string | undefined {
  if (error !== undefined) return error.message;
  if (guardrail !== undefined) return guardrail.reason;
  if (limit !== undefined) return `limit reached: ${limit}`;
  return REASONS[stopReason];
}
