import { type Case, endingOf, GEMINI_3, isAnswered, refuse, say, type Seen, type Verdict } from "../case.ts";

const WAIT_MS = 3_000;
// The service's words for a limit per minute.
const QUOTA = "You exceeded your current quota, please check your plan and billing details.";
const PER_MINUTE = {
  quotaMetric: "generativelanguage.googleapis.com/generate_content_free_tier_requests",
  quotaId: "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
};
// A clock of the client may run ahead of the stub's by a few milliseconds.
const EARLY_MS = WAIT_MS - 50;
// Far above what a slow machine adds.
const LATE_MS = 5 * WAIT_MS;

/** Requests that the service refuses for a while. */
export const RETRIES: readonly Case[] = [
  {
    id: "unavailable",
    model: GEMINI_3,
    answer: ({ n }) => (n === 1 ? refuse(503, "UNAVAILABLE", "The model is overloaded.") : say()),
    rows: [
      {
        id: "unavailable",
        label: "status 503, once",
        judge: (seen) => (isAnswered(seen) ? { met: "yes", says: "asks again" } : { met: "no", says: endingOf(seen) }),
      },
    ],
  },
  {
    id: "retry-info",
    model: GEMINI_3,
    answer: ({ sinceFirstMs, n }) => (n > 1 && sinceFirstMs >= EARLY_MS ? say() : quota()),
    rows: [{ id: "retry-info", label: "status 429, `RetryInfo`: wait 3 s", judge: judgeWait }],
  },
];

function quota(): ReturnType<typeof refuse> {
  return refuse(429, "RESOURCE_EXHAUSTED", `${QUOTA}\nPlease retry in 3s.`, [
    { "@type": "type.googleapis.com/google.rpc.QuotaFailure", violations: [PER_MINUTE] },
    { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "3s" },
  ]);
}

function judgeWait(seen: Seen): Verdict {
  if (!isAnswered(seen)) return { met: "no", says: endingOf(seen) };
  const again = seen.asked.slice(1).map(({ sinceFirstMs }) => sinceFirstMs);
  if (again.some((ms) => ms < EARLY_MS)) return { met: "partly", says: "asks too early" };
  return (again[0] ?? 0) < LATE_MS ? { met: "yes", says: "waits 3 s" } : { met: "partly", says: "waits too long" };
}
